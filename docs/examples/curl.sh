#!/usr/bin/env bash
# The first call with curl.  Needs curl and openssl:
#   CLIENT_ID=... CLIENT_SECRET=... bash curl.sh
set -euo pipefail
base=${BASE:-http://localhost:8000}
redirect_uri=${REDIRECT_URI:-http://localhost:3000/callback}

# Random values of this one request: the verifier stays here, its hash goes along (PKCE).
random() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '='; }
state=$(random)
verifier=$(random)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')

# 1. A person signs in, in a browser, and answers.
echo "Open this address, sign in as BBUser00000 with the password PW00000! and say Yes:"
echo "$base/v2/o/authorize/?response_type=code&client_id=$CLIENT_ID&redirect_uri=$redirect_uri&state=$state&code_challenge=$challenge&code_challenge_method=S256"
echo "The browser then fails to open $redirect_uri, as nothing listens there."
echo "Copy the whole address that it shows, and paste it here:"
read -r answer
[[ $answer == *"state=$state"* ]] || { echo "This is not the answer to this request."; exit 1; }
[[ $answer == *"code="* ]] || { echo "No code came back: ${answer##*\?}"; exit 1; }
code=${answer#*code=}
code=${code%%&*}

# 2. The code becomes a token.
token=$(curl -sS --fail-with-body "$base/v2/o/token/" --user "$CLIENT_ID:$CLIENT_SECRET" \
  --data-urlencode grant_type=authorization_code --data-urlencode "code=$code" \
  --data-urlencode "redirect_uri=$redirect_uri" --data-urlencode "code_verifier=$verifier")
access_token=$(sed -E 's/.*"access_token": *"([^"]+)".*/\1/' <<<"$token")

# 3. The token opens the person's records.
curl -sS --fail-with-body -H "Authorization: Bearer $access_token" "$base/v2/fhir/ExplanationOfBenefit?_count=1"
echo
