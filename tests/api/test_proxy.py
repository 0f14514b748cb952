"""Whose address counts behind a reverse proxy, as docs/server.md tells it."""

import os

import httpx2
import pytest
import workspace


@pytest.mark.parametrize(("allowed", "is_believed"), [("", True), ("192.0.2.10", False), ("127.0.0.0/8", True)])
def test_the_address_that_a_proxy_tells_counts_where_the_proxy_is_named(tmp_path, allowed, is_believed):
    environment = {**os.environ, "KVMPERF_DB": f"sqlite:///{tmp_path / 'k.db'}"}
    if allowed:
        environment["FORWARDED_ALLOW_IPS"] = allowed
    with workspace.serving(environment) as address, httpx2.Client(trust_env=False) as client:

        def guess(forwarded):
            headers = {"Authorization": "Bearer kvmperf_00000000_wrong", "X-Forwarded-For": forwarded}
            return client.get(f"{address}/api/v1/runs", headers=headers).status_code

        guesses = [guess("198.51.100.1") for _ in range(40)]
        other = guess("198.51.100.2")

    assert {401, 429} == set(guesses)
    assert other == (401 if is_believed else 429)
