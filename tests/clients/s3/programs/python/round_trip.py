"""What a user does with boto3, a step a line: see program-tool.ts for what is asked and answered."""

import json
import os
import sys

import boto3
from botocore.config import Config

DELETED_AT_ONCE_MAX = 1000

s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    region_name=os.environ["AWS_DEFAULT_REGION"],
    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    config=Config(retries={"total_max_attempts": 1}),
)


def make_bucket(bucket):
    s3.create_bucket(Bucket=bucket)


def list_buckets():
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def remove_bucket(bucket):
    s3.delete_bucket(Bucket=bucket)


def put(bucket, key, file):
    s3.upload_file(file, bucket, key)


def get(bucket, key, file):
    s3.download_file(bucket, key, file)


def get_range(bucket, key, file, first, last):
    answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")
    save(answer, file)


def copy(bucket, **names):
    # In parts where the object is large.
    s3.copy({"Bucket": bucket, "Key": names["from"]}, bucket, names["to"])


def list_objects(bucket, prefix, delimiter=None):
    asked = {"Bucket": bucket, "Prefix": prefix}
    if delimiter is not None:
        asked["Delimiter"] = delimiter
    keys, prefixes = [], []
    for page in s3.get_paginator("list_objects_v2").paginate(**asked):
        keys += [found["Key"] for found in page.get("Contents", [])]
        prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
    return {"keys": keys, "prefixes": prefixes}


def put_checked(bucket, key, file, algorithm):
    with open(file, "rb") as body:
        put_answer = s3.put_object(
            Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm=algorithm
        )
    answer = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    save(answer, file)
    name = f"Checksum{algorithm}"
    assert answer[name] == put_answer[name], f"{name}: {answer} {put_answer}"


def presign(bucket, key):
    return s3.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=300
    )


def presign_post(bucket, prefix):
    return s3.generate_presigned_post(
        bucket,
        prefix + "${filename}",
        Fields={"success_action_status": "201", "Content-Type": "text/plain"},
        Conditions=[
            ["starts-with", "$key", prefix],
            ["content-length-range", 1, 1000],
            {"success_action_status": "201"},
            {"Content-Type": "text/plain"},
        ],
        ExpiresIn=300,
    )


def open_uploads(bucket, keys):
    """Keys and ids as begun, then as listed a page of one at a time, then what ListParts echoes."""
    begun = []
    for key in keys:
        answer = s3.create_multipart_upload(Bucket=bucket, Key=key)
        begun.append([key, answer["UploadId"]])
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 1}
    )
    found = [upload for page in pages for upload in page.get("Uploads", [])]
    listed = [[upload["Key"], upload["UploadId"]] for upload in found]
    echoed = []
    for key, upload_id in begun:
        names = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        echoed.append(s3.list_parts(**names)["Key"])
        s3.abort_multipart_upload(**names)
    return {"begun": begun, "listed": listed, "echoed": echoed}


def delete_keys(bucket, keys):
    for at in range(0, len(keys), DELETED_AT_ONCE_MAX):
        objects = [{"Key": key} for key in keys[at : at + DELETED_AT_ONCE_MAX]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
        assert "Errors" not in answer, answer["Errors"]
        assert len(answer["Deleted"]) == len(objects), "each is answered"


def save(answer, file):
    with open(file, "wb") as kept:
        for chunk in answer["Body"].iter_chunks():
            kept.write(chunk)


STEPS = {
    "makeBucket": make_bucket,
    "listBuckets": list_buckets,
    "removeBucket": remove_bucket,
    "put": put,
    "get": get,
    "getRange": get_range,
    "copy": copy,
    "list": list_objects,
    "putChecked": put_checked,
    "presign": presign,
    "presignPost": presign_post,
    "openUploads": open_uploads,
    "deleteKeys": delete_keys,
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        done = STEPS[asked.pop("step")](**asked)
        print(json.dumps({"done": done}), flush=True)
    except Exception as error:  # Whatever it is, the test is told.
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
