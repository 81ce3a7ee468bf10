#!/bin/bash
# Startup script: pip takes packages from a repository of AWS CodeArtifact. Fill in the five lines below.
#
# IAM, for the environment's execution role:
#   codeartifact:GetAuthorizationToken on arn:aws:codeartifact:REGION:OWNER:domain/DOMAIN
#   codeartifact:GetRepositoryEndpoint, codeartifact:ReadFromRepository on arn:aws:codeartifact:REGION:OWNER:repository/DOMAIN/REPOSITORY
#   sts:GetServiceBearerToken on *, with the condition sts:AWSServiceName = codeartifact.amazonaws.com
#
# The token lives for 12 hours at most and is fetched when a container starts. That is enough for requirements.txt, which is installed
# then; a virtual environment that a task makes later than that needs a token of its own. Where the web server is private, the VPC needs
# endpoints for codeartifact.api and codeartifact.repositories, or the script waits there until it times out.
DOMAIN="my-domain"
OWNER="123456789012"
REGION="eu-west-1"
REPOSITORY="my-repository"
HOST="${DOMAIN}-${OWNER}.d.codeartifact.${REGION}.amazonaws.com"

if CODEARTIFACT_TOKEN="$(aws codeartifact get-authorization-token --domain "${DOMAIN}" --domain-owner "${OWNER}" --region "${REGION}" \
    --query authorizationToken --output text)" && [[ -n "${CODEARTIFACT_TOKEN}" ]]; then
    # Exported, never printed: the log of the startup script is read by many.
    export PIP_INDEX_URL="https://aws:${CODEARTIFACT_TOKEN}@${HOST}/pypi/${REPOSITORY}/simple/"
else
    # No "set -e": a script that fails keeps the container from starting, and pip's own message about a missing package says more.
    echo "no token of CodeArtifact; pip keeps its index" >&2
fi
unset CODEARTIFACT_TOKEN
