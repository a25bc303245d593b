#!/bin/sh
# Signs a wallet in with openssl, then stores, reads and shares a file with curl.
# Usage: walk-through.sh BASE_URL WALLET KEY_FILE FILE OUTPUT_FOLDER
# KEY_FILE is the wallet's Ed25519 key in PEM, as openssl wants it.
set -eu

base=$1 wallet=$2 key_file=$3 file=$4 output=$5

# The text of one field of a flat JSON document, escaped as it stands there.
field() {
  sed -n "s/.*\"$1\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p"
}

json() {
  curl --silent --show-error --fail-with-body -H 'Content-Type: application/json' "$@"
}

challenge=$(json -d "{\"wallet_public_key\":\"$wallet\"}" "$base/auth/siws/challenge")
nonce=$(printf '%s' "$challenge" | field nonce)
message=$(printf '%s' "$challenge" | field message)
printf '%b' "$message" > "$output/message"
signature=$(openssl pkeyutl -sign -rawin -inkey "$key_file" -in "$output/message" | base64 -w 0)
tokens=$(
  json "$base/auth/siws/verify" -d "{\"wallet_public_key\":\"$wallet\",\"nonce\":\"$nonce\",
    \"message\":\"$message\",\"signature_b64\":\"$signature\"}"
)
access_token=$(printf '%s' "$tokens" | field access_token)
app_key=$(json -H "Authorization: Bearer $access_token" "$base/user/me" | field user_app_key)

get() {
  curl --silent --show-error --fail-with-body "$@"
}

# Once with a length, once as a stream of unknown length.
get -X POST "$base/upload?file_name=shell%2Fhello.bin" -H "Authorization: ApiKey $app_key" \
  -H 'Content-Type: application/octet-stream' --data-binary "@$file" > "$output/stored"
get -X POST "$base/upload?file_name=shell%2Fstreamed.bin" -H "Authorization: ApiKey $app_key" \
  -H 'Content-Type: application/octet-stream' -T - < "$file" > "$output/streamed"
get -H "Authorization: ApiKey $app_key" \
  "$base/download-stream?file_name=shell%2Fhello.bin" -o "$output/own.bin"
get -H "Authorization: ApiKey $app_key" \
  "$base/download?file_name=shell%2Fstreamed.bin" | base64 -d > "$output/decoded.bin"
link=$(
  json -H "Authorization: ApiKey $app_key" -d '{"file_name":"shell/hello.bin"}' \
    "$base/createPublicLink" | field link_hash
)
get "$base/publicDownload?hash=$link" -o "$output/public.bin"
printf '%s\n' "$app_key"
