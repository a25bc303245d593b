"""Signs forms with boto3 and posts them with urllib3: see presigned-post.test.ts.

Reads {"endpoint", "region", "bucket", "forms": [{"key", "fields", "conditions", "file"}]} from its
input, and the keys from its environment; writes the forms, and the status of each that it posted.
"""

import json
import sys

import boto3
import urllib3
from botocore.config import Config

order = json.load(sys.stdin)
s3 = boto3.client(
    "s3",
    endpoint_url=order["endpoint"],
    region_name=order["region"],
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
)
pool = urllib3.PoolManager()
made = []
for form in order["forms"]:
    signed = s3.generate_presigned_post(
        order["bucket"],
        form["key"],
        Fields=form["fields"],
        Conditions=[{name: value} for name, value in form["fields"].items()] + form["conditions"],
        ExpiresIn=600,
    )
    name, text = form["file"]
    # The file goes last: urllib3 keeps the order.
    parts = [*signed["fields"].items(), ("file", (name, text.encode()))]
    answer = pool.request("POST", signed["url"], fields=parts, redirect=False)
    made.append({**signed, "status": answer.status, "text": answer.data.decode()})
json.dump(made, sys.stdout)
