"""The time-skipping test environment of the official Python SDK, with `perdure` (the first argument) in the place of the field's test server."""

import asyncio
import logging
import os
import sys
from datetime import datetime, timedelta, timezone

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@activity.defn
async def flaky(failures: int) -> int:
    if activity.info().attempt <= failures:
        raise RuntimeError("not yet")
    return activity.info().attempt


@workflow.defn
class Days:
    def __init__(self) -> None:
        self.passed = 0

    @workflow.run
    async def run(self, days: int) -> float:
        began = workflow.now()
        while self.passed < days:
            await workflow.sleep(DAY)
            self.passed += 1
        return (workflow.now() - began) / DAY

    @workflow.query
    def days(self) -> int:
        return self.passed


@workflow.defn
class Patient:
    @workflow.run
    async def run(self, failures: int) -> float:
        began = workflow.now()
        policy = RetryPolicy(initial_interval=HOUR, backoff_coefficient=1)
        await workflow.execute_activity(flaky, failures, start_to_close_timeout=HOUR, retry_policy=policy)
        return (workflow.now() - began) / HOUR


@workflow.defn
class Wrong:
    @workflow.run
    async def run(self) -> None:
        assert 1 + 1 == 3, "that does not add up"


async def main() -> None:
    logging.disable(logging.ERROR)  # failures that are meant
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=sys.argv[1]) as env:
        assert env.supports_time_skipping
        async with Worker(env.client, task_queue="test", workflows=[Days, Patient, Wrong], activities=[flaky]):
            began = datetime.now()
            passed = await env.client.execute_workflow(Days.run, 60, id="days", task_queue="test")
            assert 60 <= passed < 60.1, passed
            assert datetime.now() - began < timedelta(seconds=60)
            assert (await env.get_current_time()) - datetime.now(timezone.utc) > 59 * DAY

            handle = await env.client.start_workflow(Days.run, 30, id="looked-at", task_queue="test")
            await env.sleep(3 * DAY + HOUR)
            assert await handle.query(Days.days) == 3
            assert await handle.result() >= 30

            hours = await env.client.execute_workflow(Patient.run, 5, id="patient", task_queue="test")
            assert 5 <= hours < 5.5, hours

            try:
                await env.client.execute_workflow(Wrong.run, id="wrong", task_queue="test")
                raise RuntimeError("an assertion that fails should fail the workflow")
            except Exception as error:
                assert "that does not add up" in str(error.__cause__), repr(error.__cause__)
    print("ok      python time skipping", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)  # the SDK's native threads may bring the interpreter down while it is being taken apart
