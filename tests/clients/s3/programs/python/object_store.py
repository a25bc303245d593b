"""What obstore does over Rust's object_store, as delta-rs, Polars and Lance do: a prefix with
spaces, writes on condition, a copy, ranges. Answers one line of JSON."""

import json
import os

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store

PREFIX = "a table with spaces/_delta log"

store = S3Store(
    os.environ["PIPE_S3_BUCKET"],
    endpoint=os.environ["AWS_ENDPOINT_URL"],
    region=os.environ["AWS_DEFAULT_REGION"],
    access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    virtual_hosted_style_request=False,
    client_options={"allow_http": True},
)


def refusal_of(run, kind):
    try:
        run()
    except kind:
        return "refused"
    return "done"


first = obstore.put(store, f"{PREFIX}/0 + 1.json", b"first", mode="create")
obstore.put(store, f"{PREFIX}/1.json", b"second", mode="create")
again = refusal_of(
    lambda: obstore.put(store, f"{PREFIX}/0 + 1.json", b"lost", mode="create"), AlreadyExistsError
)
swapped = obstore.put(
    store, f"{PREFIX}/0 + 1.json", b"swapped", mode={"e_tag": first["e_tag"]}
)
stale = refusal_of(
    lambda: obstore.put(
        store, f"{PREFIX}/0 + 1.json", b"lost", mode={"e_tag": first["e_tag"]}
    ),
    PreconditionError,
)
obstore.copy(store, f"{PREFIX}/0 + 1.json", f"{PREFIX}/2 copied.json")
listed = sorted(meta["path"] for page in obstore.list(store, PREFIX) for meta in page)
after = sorted(
    meta["path"]
    for page in obstore.list(store, PREFIX, offset=f"{PREFIX}/1.json")
    for meta in page
)
level = obstore.list_with_delimiter(store, "a table with spaces")
print(
    json.dumps(
        {
            "again": again,
            "stale": stale,
            "isSwapped": swapped["e_tag"] != first["e_tag"],
            "listed": listed,
            "after": after,
            "prefixes": list(level["common_prefixes"]),
            "copied": bytes(obstore.get(store, f"{PREFIX}/2 copied.json").bytes()).decode(),
            "range": bytes(
                obstore.get_range(store, f"{PREFIX}/1.json", start=1, end=4)
            ).decode(),
        }
    )
)
