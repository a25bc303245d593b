"""Makes requests, URLs and forms that boto3 signs, of every form that it knows, to be verified.

Reads {"endpoint", "accessKeyId", "secret", "keys"} from its input; writes the URLs and the forms.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

order = json.load(sys.stdin)


def client_of(region, **options):
    return boto3.client(
        "s3",
        endpoint_url=order["endpoint"],
        aws_access_key_id=order["accessKeyId"],
        aws_secret_access_key=order["secret"],
        region_name=region,
        config=Config(
            s3={"addressing_style": "path", **options.pop("s3", {})},
            signature_version="s3v4",
            retries={"max_attempts": 1},
            **options,
        ),
    )


def send(call, **arguments):
    try:
        call(**arguments)
    except (ClientError, BotoCoreError):
        # The answers are empty, which some calls do not expect; the request is what counts.
        pass


s3 = client_of("us-east-1")
unsigned = client_of("auto", s3={"payload_signing_enabled": False})
metadata = {"plain": "a", "spaces": "two  spaces,  and a comma", "Upper": "B=C;d"}
urls = []
for key in order["keys"]:
    send(s3.get_object, Bucket="bucket", Key=key, Range="bytes=0-9")
    send(s3.head_object, Bucket="bucket", Key=key, VersionId="a+b/c=&d")
    send(unsigned.put_object, Bucket="bucket", Key=key, Body=b"hello", Metadata=metadata)
    send(s3.put_object_tagging, Bucket="bucket", Key=key, Tagging={"TagSet": []})
    send(s3.list_objects_v2, Bucket="bucket", Prefix=key, Delimiter=key[-1], StartAfter=key)
    send(s3.list_objects, Bucket="bucket", Prefix=key, Marker=key, MaxKeys=7)
    target = {"Bucket": "bucket", "Key": key}
    shown = {"ResponseContentDisposition": 'attachment; filename="a + b.txt"'}
    urls.append(["GET", s3.generate_presigned_url("get_object", Params={**target, **shown})])
    urls.append(["GET", s3.generate_presigned_url("get_object", Params=target, ExpiresIn=604800)])
    urls.append(["PUT", unsigned.generate_presigned_url("put_object", Params=target, ExpiresIn=1)])
send(s3.list_buckets)
send(s3.create_bucket, Bucket="bucket")
send(s3.delete_objects, Bucket="bucket", Delete={"Objects": [{"Key": "a"}]})
send(s3.copy_object, Bucket="bucket", Key="b", CopySource={"Bucket": "bucket", "Key": "a +%é"})
conditions = [["starts-with", "$key", "a"], {"Content-Type": "text/plain"}]
form = s3.generate_presigned_post(
    "bucket", "a${filename}", Fields={"Content-Type": "text/plain"}, Conditions=conditions
)
json.dump({"urls": urls, "form": form["fields"]}, sys.stdout)
