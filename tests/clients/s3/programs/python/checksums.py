"""Boto3 with the Common Runtime: each checksum is sent, believed and checked again when read, of
one put and of parts; and its transfer client reads an empty object. Answers one line of JSON."""

import json
import os

import boto3
import botocore.session
from botocore.config import Config
from s3transfer.crt import (
    BotocoreCRTCredentialsWrapper,
    BotocoreCRTRequestSerializer,
    CRTTransferManager,
    create_s3_crt_client,
)

BUCKET = os.environ["PIPE_S3_BUCKET"]
ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512"]
ALGORITHMS += ["XXHASH64", "XXHASH3", "XXHASH128"]
BODY = b"hello world"
PART = b"a" * (5 * 1024 * 1024)

s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    region_name=os.environ["AWS_DEFAULT_REGION"],
    config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
)


def checked(key, **asked):
    """Reads with the checksums that the answer bears: botocore throws where they do not fit."""
    answer = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED", **asked)
    answer["Body"].read()
    members = {name: answer[name] for name in answer if name.startswith("Checksum")}
    said = answer["ResponseMetadata"].get("ChecksumAlgorithm")
    return {**members, "checkedBy": said}


def put(algorithm):
    key = f"put {algorithm}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=BODY, ChecksumAlgorithm=algorithm)
    return checked(key)


def parts(algorithm):
    key = f"parts {algorithm}"
    names = {"Bucket": BUCKET, "Key": key}
    upload = s3.create_multipart_upload(**names, ChecksumAlgorithm=algorithm)["UploadId"]
    listed = []
    for number, body in [(1, PART), (2, BODY)]:
        answer = s3.upload_part(
            **names,
            UploadId=upload,
            PartNumber=number,
            Body=body,
            ChecksumAlgorithm=algorithm,
        )
        said = f"Checksum{algorithm}"
        listed.append({"PartNumber": number, "ETag": answer["ETag"], said: answer[said]})
    s3.complete_multipart_upload(**names, UploadId=upload, MultipartUpload={"Parts": listed})
    return {"whole": checked(key), "part": checked(key, PartNumber=2)}


def read_empty():
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    session = botocore.session.get_session()
    names = {
        "region_name": os.environ["AWS_DEFAULT_REGION"],
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "config": Config(s3={"addressing_style": "path"}),
    }
    # As boto3 makes it, but for plain HTTP, which boto3 has no setting for.
    client = create_s3_crt_client(
        names["region_name"],
        BotocoreCRTCredentialsWrapper(session.get_credentials()).to_crt_credentials_provider(),
        use_ssl=False,
    )
    serializer = BotocoreCRTRequestSerializer(session, names)
    with CRTTransferManager(client, serializer) as manager:
        manager.download(BUCKET, "empty", "empty.bin").result()
    return os.path.getsize("empty.bin")


print(
    json.dumps(
        {
            "put": {algorithm: put(algorithm) for algorithm in ALGORITHMS},
            "parts": {algorithm: parts(algorithm) for algorithm in ["SHA512", "XXHASH128"]},
            "emptyBytes": read_empty(),
        }
    )
)
