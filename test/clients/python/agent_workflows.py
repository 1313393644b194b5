"""Agent-like workflows of the official Python SDK, run against the engine at PERDURE_ADDRESS: every feature that such an agent leans on."""

import asyncio
import logging
import os
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, ChildWorkflowError, TimeoutError, WorkflowAlreadyStartedError
from temporalio.worker import Worker

SHORT = timedelta(seconds=20)


@dataclass
class ToolCall:
    name: str
    argument: int


@activity.defn
async def call_model(question: str) -> ToolCall:
    return ToolCall("double", len(question))


@activity.defn
async def run_tool(call: ToolCall) -> int:
    if activity.info().attempt < 3:
        raise ApplicationError("the tool is busy", type="Busy", next_retry_delay=timedelta(milliseconds=50))
    return call.argument * 2


@activity.defn
async def refuse(reason: str) -> None:
    raise ApplicationError(reason, type="Refused", non_retryable=True)


@activity.defn
async def count_with_heartbeats(until: int) -> int:
    details = activity.info().heartbeat_details
    start = details[0] if details else 0
    if start == 0:
        activity.heartbeat(until - 1)
        raise ApplicationError("interrupted half-way")
    return start + 1


@activity.defn
async def work_until_cancelled() -> str:
    while True:
        activity.heartbeat("still at it")
        await asyncio.sleep(0.1)


@workflow.defn
class Agent:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.approved = False

    @workflow.run
    async def run(self, question: str) -> str:
        call = await workflow.execute_activity(call_model, question, start_to_close_timeout=SHORT)
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=5)
        result = await workflow.execute_activity(run_tool, call, start_to_close_timeout=SHORT, retry_policy=policy)
        await workflow.wait_condition(lambda: self.approved, timeout=timedelta(days=3))
        await workflow.sleep(timedelta(milliseconds=100))
        return f"{result} {','.join(self.notes)}"

    @workflow.signal
    def approve(self, note: str) -> None:
        self.notes.append(note)
        self.approved = True

    @workflow.query
    def open_notes(self) -> list[str]:
        return self.notes

    @workflow.query
    def broken(self) -> str:
        raise RuntimeError("no such note")

    @workflow.update
    async def add_note(self, note: str) -> int:
        self.notes.append(note)
        return len(self.notes)

    @add_note.validator
    def check_note(self, note: str) -> None:
        if not note:
            raise ApplicationError("a note must not be empty")


@workflow.defn
class Refusing:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(refuse, "not allowed", start_to_close_timeout=SHORT)


@workflow.defn
class Resuming:
    @workflow.run
    async def run(self) -> int:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=50))
        return await workflow.execute_activity(
            count_with_heartbeats, 10, start_to_close_timeout=SHORT, heartbeat_timeout=timedelta(seconds=5), retry_policy=policy
        )


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, depth: int) -> str:
        try:
            await workflow.execute_child_workflow(Refusing.run, id=f"{workflow.info().workflow_id}-refusing")
        except ChildWorkflowError as error:
            cause = error.cause
            while cause and not isinstance(cause, ApplicationError):
                cause = cause.cause
            assert cause and cause.type == "Refused", cause
        numbers = await asyncio.gather(
            *[workflow.execute_child_workflow(Resuming.run, id=f"{workflow.info().workflow_id}-{i}") for i in range(depth)]
        )
        return str(sum(numbers))


@workflow.defn
class Counting:
    @workflow.run
    async def run(self, left: int) -> str:
        if left > 0:
            workflow.continue_as_new(left - 1)
        return f"done in run {workflow.info().continued_run_id is not None}"


@workflow.defn
class Cancellable:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_activity(
                work_until_cancelled,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=2),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except ActivityError as error:
            assert isinstance(error.cause, CancelledError), error.cause
            return "cancelled, and tidied up"
        return "never"


@workflow.defn
class TooSlow:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(hours=1))


def new_id(name: str) -> str:
    return f"python-{name}-{uuid.uuid4()}"


async def agent_with_approval(client: Client, queue: str) -> None:
    handle = await client.start_workflow(Agent.run, "how much", id=new_id("agent"), task_queue=queue)
    assert await handle.query(Agent.open_notes) == []
    assert await handle.execute_update(Agent.add_note, "first") == 1
    try:
        await handle.execute_update(Agent.add_note, "")
        raise AssertionError("an invalid update was accepted")
    except WorkflowUpdateFailedError as error:
        assert "must not be empty" in str(error.cause), error.cause
    try:
        await handle.query(Agent.broken)
        raise AssertionError("a failing query was answered")
    except WorkflowQueryFailedError as error:
        assert "no such note" in str(error), error
    await handle.signal(Agent.approve, "yes")
    assert await handle.result() == "16 first,yes"
    assert await handle.query(Agent.open_notes) == ["first", "yes"], "closed workflows answer queries"


async def failure_without_retry(client: Client, queue: str) -> None:
    try:
        await client.execute_workflow(Refusing.run, id=new_id("refusing"), task_queue=queue)
        raise AssertionError("the workflow did not fail")
    except WorkflowFailureError as error:
        assert isinstance(error.cause, ActivityError) and isinstance(error.cause.cause, ApplicationError), error.cause
        assert error.cause.cause.type == "Refused"


async def heartbeat_details_survive(client: Client, queue: str) -> None:
    assert await client.execute_workflow(Resuming.run, id=new_id("resuming"), task_queue=queue) == 10


async def children(client: Client, queue: str) -> None:
    assert await client.execute_workflow(Parent.run, 3, id=new_id("parent"), task_queue=queue) == "30"


async def continue_as_new(client: Client, queue: str) -> None:
    assert await client.execute_workflow(Counting.run, 2, id=new_id("counting"), task_queue=queue) == "done in run True"


async def cancellation(client: Client, queue: str) -> None:
    handle = await client.start_workflow(Cancellable.run, id=new_id("cancellable"), task_queue=queue)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        pending = (await handle.describe()).raw_description.pending_activities
        if pending and pending[0].HasField("last_heartbeat_time"):
            break
        await asyncio.sleep(0.05)
    await handle.cancel()
    assert await handle.result() == "cancelled, and tidied up"


async def run_timeout(client: Client, queue: str) -> None:
    try:
        await client.execute_workflow(TooSlow.run, id=new_id("slow"), task_queue=queue, run_timeout=timedelta(seconds=1))
        raise AssertionError("the run was not timed out")
    except WorkflowFailureError as error:
        assert isinstance(error.cause, TimeoutError), error.cause


async def ids_are_taken_once(client: Client, queue: str) -> None:
    workflow_id = new_id("once")
    handle = await client.start_workflow(TooSlow.run, id=workflow_id, task_queue=queue)
    try:
        await client.start_workflow(TooSlow.run, id=workflow_id, task_queue=queue)
        raise AssertionError("the id was taken twice")
    except WorkflowAlreadyStartedError:
        pass
    await handle.terminate("enough")
    try:
        await client.start_workflow(TooSlow.run, id=workflow_id, task_queue=queue, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)
        raise AssertionError("the id was used again")
    except WorkflowAlreadyStartedError:
        pass


async def signal_with_start(client: Client, queue: str) -> None:
    handle = await client.start_workflow(
        Agent.run, "four", id=new_id("signalled"), task_queue=queue, start_signal="approve", start_signal_args=["at once"]
    )
    assert await handle.result() == "8 at once"


async def listing(client: Client, queue: str) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = [w.id async for w in client.list_workflows(f"TaskQueue = '{queue}' AND ExecutionStatus = 'Completed' AND WorkflowType = 'Agent'")]
        if len(found) == 2:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the list has {found}")


STORIES = [
    agent_with_approval, failure_without_retry, heartbeat_details_survive, children, continue_as_new, cancellation, run_timeout, ids_are_taken_once,
    signal_with_start, listing,
]


async def main() -> int:
    logging.disable(logging.ERROR)  # failures that the stories mean to have
    client = await Client.connect(os.environ["PERDURE_ADDRESS"])
    queue = f"python-{uuid.uuid4()}"
    failed = 0
    workflows = [Agent, Refusing, Resuming, Parent, Counting, Cancellable, TooSlow]
    activities = [call_model, run_tool, refuse, count_with_heartbeats, work_until_cancelled]
    async with Worker(client, task_queue=queue, workflows=workflows, activities=activities):
        for story in STORIES:
            try:
                await asyncio.wait_for(story(client, queue), 60)
                print(f"ok      python {story.__name__}", flush=True)
            except BaseException as error:  # a story that fails does not end the others
                failed += 1
                print(f"FAILED  python {story.__name__}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    code = asyncio.run(main())
    sys.stdout.flush()
    os._exit(code)  # the SDK's native threads may bring the interpreter down while it is being taken apart
