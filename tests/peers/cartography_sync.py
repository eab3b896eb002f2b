"""cartography's own Entra sync, with counters where it would write to Neo4j.

    target/peers/cartography/bin/python tests/peers/cartography_sync.py < hello.json

stdin is the first line of `host-harness simulate`; stdout is one line of JSON. What reads and transforms is cartography's, and
what speaks HTTP is Microsoft's msgraph-sdk. Replaced are its four functions that load and clean up, and two that it has no
setting for: where Graph is, and the credential, which signs in at the simulator instead of login.microsoftonline.com.
"""

import asyncio
import importlib.metadata
import json
import logging
import resource
import sys
import time
import urllib.parse
import urllib.request

VERSIONS = {"cartography": "0.143.0", "msgraph-sdk": "1.65.0"}

for package, wanted in VERSIONS.items():
    found = importlib.metadata.version(package)
    if found != wanted:
        sys.exit(f"{package} {found} is installed; this driver is for {wanted}: see tests/peers/README.md")

import httpx  # noqa: E402
from azure.core.credentials import AccessToken  # noqa: E402
from cartography.intel.microsoft import credentials  # noqa: E402
from cartography.intel.microsoft.entra import groups, users  # noqa: E402
from kiota_authentication_azure.azure_identity_authentication_provider import (  # noqa: E402
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient  # noqa: E402

HELLO = json.loads(sys.stdin.readline())
COUNTS = {"requests": 0, "users": 0, "groups": 0, "edges": 0}


class SimulatorCredential:
    """One token for the whole run, as azure-identity would cache it."""

    def __init__(self):
        self.token = None

    def get_token(self, *scopes, **_):
        if self.token is None:
            form = {
                "grant_type": "client_credentials",
                "client_id": HELLO["clientId"],
                "client_secret": HELLO["clientSecret"],
                "scope": scopes[0],
            }
            url = f"{HELLO['origin']}/{HELLO['tenantId']}/oauth2/v2.0/token"
            with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as answer:
                fields = json.load(answer)
            self.token = AccessToken(fields["access_token"], int(time.time()) + fields["expires_in"])
        return self.token


def graph_client(credential, scopes):
    provider = AzureIdentityAuthenticationProvider(credential, scopes=scopes, allowed_hosts=["127.0.0.1"])
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{HELLO['origin']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def count_requests():
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def counted(self, request):
        COUNTS["requests"] += 1
        return await send(self, request)

    httpx.AsyncHTTPTransport.handle_async_request = counted


def load_users(_session, rows, _tenant, _tag):
    COUNTS["users"] += len(rows)


SEEN_GROUPS = set()


def load_groups(_session, rows, _tag, _tenant):
    # Every group is loaded twice: with its owners first, then once for each page of members.
    SEEN_GROUPS.update(row["id"] for row in rows)
    COUNTS["edges"] += sum(len(row["member_ids"]) + len(row["member_group_ids"]) for row in rows)


def no_cleanup(_session, _parameters):
    pass


async def sync():
    arguments = (None, HELLO["tenantId"], HELLO["clientId"], HELLO["clientSecret"], 1, {"UPDATE_TAG": 1})
    await users.sync_entra_users(*arguments)
    await groups.sync_entra_groups(*arguments)
    COUNTS["groups"] = len(SEEN_GROUPS)


def main():
    logging.basicConfig(level=logging.WARNING)
    count_requests()
    credentials.make_credential = lambda *_, **__: SimulatorCredential()
    users.GraphServiceClient = groups.GraphServiceClient = graph_client
    users.load_users, users.cleanup = load_users, no_cleanup
    groups.load_groups, groups.cleanup_groups = load_groups, no_cleanup

    since, before = time.monotonic(), time.process_time()
    asyncio.run(sync())
    wall, cpu = time.monotonic() - since, time.process_time() - before
    line = {
        "peer": "cartography",
        "version": VERSIONS["cartography"],
        **COUNTS,
        "rows": COUNTS["users"] + COUNTS["groups"] + COUNTS["edges"],
        "wallSeconds": wall,
        "cpuSeconds": cpu,
        "peakRssKiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(line))


main()
