"""The links that django-storages makes, as a site shows them: with the settings that it needs here,
and with those of its first page. Answers one line of JSON."""

import json
import os
import urllib.error
import urllib.request

from django.conf import settings

settings.configure(USE_TZ=True)

from django.core.files.base import ContentFile  # noqa: E402
from storages.backends.s3 import S3Storage  # noqa: E402

NAME = "pictures/a face + hat.txt"
NAMED = {
    "bucket_name": os.environ["PIPE_S3_BUCKET"],
    "access_key": os.environ["AWS_ACCESS_KEY_ID"],
    "secret_key": os.environ["AWS_SECRET_ACCESS_KEY"],
    "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
}


def fetch(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def link(**more):
    storage = S3Storage(**NAMED, **more)
    url = storage.url(NAME)
    status, text = fetch(url)
    return {"isVersion4": "X-Amz-Signature" in url, "status": status, "text": text}


writer = S3Storage(**NAMED, region_name="auto", signature_version="s3v4")
writer.save(NAME, ContentFile(b"seen"))
print(
    json.dumps(
        {
            "set": link(
                region_name="auto", signature_version="s3v4", addressing_style="path"
            ),
            # What boto3 signs links with by default in the old regions, whatever the server is.
            "unset": link(region_name="us-east-1"),
            "size": writer.size(NAME),
            "listed": writer.listdir("pictures"),
            "read": writer.open(NAME).read().decode(),
        }
    )
)
