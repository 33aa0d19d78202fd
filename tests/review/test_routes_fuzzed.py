"""Addresses and forms that the application's own description allows, and many that it does not: no fault of ours."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from valuation.review.identity import COOKIE

if TYPE_CHECKING:
    from .site import Site

pytestmark = pytest.mark.slow
LOCAL = {"host": "127.0.0.1"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_is_a_fault_of_the_program(own_site: Site, mode):
    """Every route; most requests name the run and the audit that are there, and carry the analyst's secret."""
    described = schemathesis.openapi.from_asgi("/openapi.json", own_site.app, headers=LOCAL)
    who, told = own_site.who("Fuzz"), Counter()
    session = next(iter(own_site.desk.audit("first").wanted))
    real = {
        "run_id": own_site.run_id,
        "audit_id": "first",
        "run": own_site.run_id,
        "audit": "first",
        "id": session,
        "session": session,
    }
    routes = [found.ok() for found in described.get_all_operations()]
    for route in routes:

        @given(case=route.as_strategy(generation_mode=mode))
        @settings(
            max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
        )
        def sent(case):
            told[""] += 1
            for given_ in (case.path_parameters, case.query, case.body):
                if hasattr(given_, "items") and told[""] % 4:
                    given_.update({name: real[name] for name in real if name in given_})
            if isinstance(case.body, dict) and told[""] % 5:
                case.body["csrf"] = who.csrf
            answer = case.call(headers={**LOCAL, "cookie": f"{COOKIE}={who.cookie}"})
            assert answer.status_code < 500, (case.method, case.formatted_path, case.query, case.body)
            assert "content-security-policy" in answer.headers
            told[answer.status_code] += 1

        try:
            sent()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # a route whose address has nothing to get wrong
        else:
            told["routes"] += 1
    assert len(routes) >= 18 and told["routes"] >= (len(routes) if mode is GenerationMode.POSITIVE else 10), told
    assert {200, 400} <= set(told), told
