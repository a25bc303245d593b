"""Signs a wallet in with solders, then stores, reads and shares a file with requests.

Usage: walk_through.py BASE_URL KEYPAIR_FILE FILE OUTPUT_FOLDER
KEYPAIR_FILE is what solana-keygen writes: the 64 bytes of the key pair as a JSON array.
"""

import base64
import json
import pathlib
import sys

import requests
from solders.keypair import Keypair


def main(base: str, keypair_file: str, file: str, output: str) -> None:
    folder = pathlib.Path(output)
    keypair = Keypair.from_bytes(bytes(json.loads(pathlib.Path(keypair_file).read_text())))
    session = requests.Session()

    tokens = sign_in(session, base, keypair)
    # A session goes on with new tokens; the old refresh token is spent.
    tokens = answer(session.post(f"{base}/auth/refresh", json={"refresh_token": tokens["refresh_token"]}))
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = answer(session.get(f"{base}/user/me", headers=bearer))
    assert me["wallet_public_key"] == str(keypair.pubkey()), me
    key = {"Authorization": f"ApiKey {me['user_app_key']}"}

    name = "from python/photo 1.bin"
    with open(file, "rb") as body:
        stored = answer(
            session.post(f"{base}/upload", params={"file_name": name}, data=body, headers=key), 202
        )
    status = answer(
        session.get(
            f"{base}/checkUploadStatus",
            params={"operation_id": stored["operation_id"]},
            headers=key,
        )
    )
    assert status["status"] == "completed" and status["finished"], status
    save(session.get(f"{base}/download-stream", params={"file_name": name}, headers=key, stream=True), folder / "own.bin")
    encoded = session.get(f"{base}/download", params={"file_name": name}, headers=key)
    encoded.raise_for_status()
    (folder / "decoded.bin").write_bytes(base64.b64decode(encoded.text, validate=True))

    link = answer(session.post(f"{base}/createPublicLink", json={"file_name": name}, headers=key))
    # Without the session: nothing of the account goes along.
    save(requests.get(f"{base}/publicDownload", params={"hash": link["link_hash"]}, stream=True), folder / "public.bin")
    print(me["user_app_key"])


def sign_in(session: requests.Session, base: str, keypair: Keypair) -> dict:
    wallet = str(keypair.pubkey())
    challenge = answer(session.post(f"{base}/auth/siws/challenge", json={"wallet_public_key": wallet}))
    signature = keypair.sign_message(challenge["message"].encode())
    return answer(
        session.post(
            f"{base}/auth/siws/verify",
            json={
                "wallet_public_key": wallet,
                "nonce": challenge["nonce"],
                "message": challenge["message"],
                "signature_b64": base64.b64encode(bytes(signature)).decode(),
            },
        )
    )


def answer(response: requests.Response, status: int = 200) -> dict:
    assert response.status_code == status, f"{response.status_code} {response.text}"
    return response.json()


def save(response: requests.Response, path: pathlib.Path) -> None:
    response.raise_for_status()
    with open(path, "wb") as output:
        for chunk in response.iter_content(65536):
            output.write(chunk)


main(*sys.argv[1:])
