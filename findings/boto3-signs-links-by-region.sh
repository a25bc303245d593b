#!/usr/bin/env bash
# boto3 1.44.5 with botocore 1.44.8 (PyPI), Python 3, 2026-12-01.
# Guess: links of a client of 2026 are signed by Version 4, above all with an endpoint of one's own.
# Seen: which version signs a link is chosen by the *name* of the region, also for an endpoint that
# is not Amazon's: in eight old regions, and without a region, Version 2 (which no gateway of today
# takes); in a younger or an invented one, Version 4. Requests themselves are always Version 4, so
# only links fail. `Config(signature_version='s3v4')` helps everywhere.
# Output seen:
#   botocore 1.44.8
#   SigV2: none ap-northeast-1 ap-southeast-1 ap-southeast-2 eu-west-1 sa-east-1 us-east-1 us-west-1 us-west-2
#   SigV4: auto eu-central-1 garage us-east-2
#   with signature_version s3v4, us-east-1: SigV4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet boto3==1.44.5 botocore==1.44.8
cat > links.py <<'PY'
import os
for name in [name for name in os.environ if name.startswith('AWS_')]:
    del os.environ[name]
import boto3
import botocore
from botocore.config import Config

def version(region, config=None):
    client = boto3.client(
        's3', region_name=region, endpoint_url='http://127.0.0.1:9', config=config,
        aws_access_key_id='id', aws_secret_access_key='secret')
    link = client.generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'})
    return 'SigV4' if 'X-Amz-Signature=' in link else 'SigV2'

regions = [None, 'ap-northeast-1', 'ap-southeast-1', 'ap-southeast-2', 'auto', 'eu-central-1',
           'eu-west-1', 'garage', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2']
print('botocore', botocore.__version__)
for wanted in ['SigV2', 'SigV4']:
    print(wanted + ':', *[region or 'none' for region in regions if version(region) == wanted])
print('with signature_version s3v4, us-east-1:',
      version('us-east-1', Config(signature_version='s3v4')))
PY
venv/bin/python links.py | tee seen.txt
diff seen.txt - <<'SEEN'
botocore 1.44.8
SigV2: none ap-northeast-1 ap-southeast-1 ap-southeast-2 eu-west-1 sa-east-1 us-east-1 us-west-1 us-west-2
SigV4: auto eu-central-1 garage us-east-2
with signature_version s3v4, us-east-1: SigV4
SEEN
