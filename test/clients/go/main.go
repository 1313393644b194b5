// Agent-like workflows of the official Go SDK, run against the engine at PERDURE_ADDRESS: every feature that such an agent leans on.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func callTool(ctx context.Context, argument int) (int, error) {
	if activity.GetInfo(ctx).Attempt < 3 {
		return 0, temporal.NewApplicationError("the tool is busy", "Busy")
	}
	return argument * 2, nil
}

func refuse(context.Context) error {
	return temporal.NewNonRetryableApplicationError("not allowed", "Refused", nil)
}

func resumeFromHeartbeat(ctx context.Context, until int) (int, error) {
	if !activity.HasHeartbeatDetails(ctx) {
		activity.RecordHeartbeat(ctx, until-1)
		return 0, errors.New("interrupted half-way")
	}
	var at int
	if err := activity.GetHeartbeatDetails(ctx, &at); err != nil {
		return 0, err
	}
	return at + 1, nil
}

func workUntilCancelled(ctx context.Context) error {
	for {
		activity.RecordHeartbeat(ctx, "still at it")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func quick(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second,
		HeartbeatTimeout:    5 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 50 * time.Millisecond, MaximumAttempts: 5},
	})
}

func agentWorkflow(ctx workflow.Context, argument int) (string, error) {
	var notes []string
	if err := workflow.SetQueryHandler(ctx, "notes", func() ([]string, error) { return notes, nil }); err != nil {
		return "", err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, "add-note", func(_ workflow.Context, note string) (int, error) {
		notes = append(notes, note)
		return len(notes), nil
	}, workflow.UpdateHandlerOptions{Validator: func(note string) error {
		if note == "" {
			return errors.New("a note must not be empty")
		}
		return nil
	}})
	if err != nil {
		return "", err
	}
	var result int
	if err := workflow.ExecuteActivity(quick(ctx), callTool, argument).Get(ctx, &result); err != nil {
		return "", err
	}
	var note string
	workflow.GetSignalChannel(ctx, "approve").Receive(ctx, &note)
	notes = append(notes, note)
	if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", result, strings.Join(notes, ",")), nil
}

func refusingWorkflow(ctx workflow.Context) error {
	return workflow.ExecuteActivity(quick(ctx), refuse).Get(ctx, nil)
}

func resumingWorkflow(ctx workflow.Context) (int, error) {
	var n int
	err := workflow.ExecuteActivity(quick(ctx), resumeFromHeartbeat, 10).Get(ctx, &n)
	return n, err
}

func parentWorkflow(ctx workflow.Context, count int) (int, error) {
	var futures []workflow.ChildWorkflowFuture
	for i := 0; i < count; i++ {
		futures = append(futures, workflow.ExecuteChildWorkflow(ctx, resumingWorkflow))
	}
	err := workflow.ExecuteChildWorkflow(ctx, refusingWorkflow).Get(ctx, nil)
	var application *temporal.ApplicationError
	if !errors.As(err, &application) || application.Type() != "Refused" {
		return 0, fmt.Errorf("the refusing child ended with %v", err)
	}
	sum := 0
	for _, future := range futures {
		var n int
		if err := future.Get(ctx, &n); err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func countingWorkflow(ctx workflow.Context, left int) (string, error) {
	if left > 0 {
		return "", workflow.NewContinueAsNewError(ctx, countingWorkflow, left-1)
	}
	return "done", nil
}

func cancellableWorkflow(ctx workflow.Context) (string, error) {
	options := workflow.ActivityOptions{StartToCloseTimeout: time.Minute, HeartbeatTimeout: 2 * time.Second, WaitForCancellation: true}
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), workUntilCancelled).Get(ctx, nil)
	if !temporal.IsCanceledError(err) {
		return "", fmt.Errorf("the activity ended with %v", err)
	}
	return "cancelled, and tidied up", nil
}

type story struct {
	name string
	tell func(context.Context, client.Client, string) error
}

func same[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %v, expected %v", got, want)
	}
	return nil
}

func options(name, queue string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: "go-" + name + "-" + uuid.NewString(), TaskQueue: queue}
}

func execute[T comparable](ctx context.Context, c client.Client, o client.StartWorkflowOptions, want T, definition any, args ...any) error {
	run, err := c.ExecuteWorkflow(ctx, o, definition, args...)
	if err != nil {
		return err
	}
	var got T
	if err := run.Get(ctx, &got); err != nil {
		return err
	}
	return same(got, want)
}

func agentWithApproval(ctx context.Context, c client.Client, queue string) error {
	run, err := c.ExecuteWorkflow(ctx, options("agent", queue), agentWorkflow, 8)
	if err != nil {
		return err
	}
	update := func(note string) error {
		handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			WorkflowID: run.GetID(), UpdateName: "add-note", Args: []any{note}, WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if err != nil {
			return err
		}
		var n int
		return handle.Get(ctx, &n)
	}
	if err := update("first"); err != nil {
		return err
	}
	if err := update(""); err == nil || !strings.Contains(err.Error(), "must not be empty") {
		return fmt.Errorf("an invalid update gave %v", err)
	}
	value, err := c.QueryWorkflow(ctx, run.GetID(), "", "notes")
	if err != nil {
		return err
	}
	var notes []string
	if err := value.Get(&notes); err != nil || len(notes) != 1 {
		return fmt.Errorf("the query gave %v, %v", notes, err)
	}
	if err := c.SignalWorkflow(ctx, run.GetID(), "", "approve", "yes"); err != nil {
		return err
	}
	var result string
	if err := run.Get(ctx, &result); err != nil {
		return err
	}
	return same(result, "16 first,yes")
}

func failureWithoutRetry(ctx context.Context, c client.Client, queue string) error {
	run, err := c.ExecuteWorkflow(ctx, options("refusing", queue), refusingWorkflow)
	if err != nil {
		return err
	}
	var application *temporal.ApplicationError
	if err := run.Get(ctx, nil); !errors.As(err, &application) || application.Type() != "Refused" {
		return fmt.Errorf("the workflow ended with %v", err)
	}
	return nil
}

func cancellation(ctx context.Context, c client.Client, queue string) error {
	run, err := c.ExecuteWorkflow(ctx, options("cancellable", queue), cancellableWorkflow)
	if err != nil {
		return err
	}
	for {
		description, err := c.DescribeWorkflowExecution(ctx, run.GetID(), "")
		if err != nil {
			return err
		}
		if pending := description.GetPendingActivities(); len(pending) > 0 && pending[0].GetLastHeartbeatTime() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.CancelWorkflow(ctx, run.GetID(), ""); err != nil {
		return err
	}
	var result string
	if err := run.Get(ctx, &result); err != nil {
		return err
	}
	return same(result, "cancelled, and tidied up")
}

func unknownWorkflow(ctx context.Context, c client.Client, _ string) error {
	err := c.SignalWorkflow(ctx, "nobody", "", "approve", "yes")
	var notFound *serviceerror.NotFound
	if !errors.As(err, &notFound) {
		return fmt.Errorf("a signal to nobody gave %v", err)
	}
	return nil
}

var stories = []story{
	{"agent_with_approval", agentWithApproval},
	{"failure_without_retry", failureWithoutRetry},
	{"heartbeat_details_survive", func(ctx context.Context, c client.Client, queue string) error {
		return execute(ctx, c, options("resuming", queue), 10, resumingWorkflow)
	}},
	{"children", func(ctx context.Context, c client.Client, queue string) error {
		return execute(ctx, c, options("parent", queue), 30, parentWorkflow, 3)
	}},
	{"continue_as_new", func(ctx context.Context, c client.Client, queue string) error {
		return execute(ctx, c, options("counting", queue), "done", countingWorkflow, 2)
	}},
	{"cancellation", cancellation},
	{"unknown_workflow", unknownWorkflow},
}

func main() {
	logger := log.NewStructuredLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 4})))
	c, err := client.Dial(client.Options{HostPort: os.Getenv("PERDURE_ADDRESS"), Logger: logger})
	if err != nil {
		fmt.Println("FAILED  go connect:", err)
		os.Exit(1)
	}
	defer c.Close()
	queue := "go-" + uuid.NewString()
	w := worker.New(c, queue, worker.Options{})
	for _, definition := range []any{agentWorkflow, refusingWorkflow, resumingWorkflow, parentWorkflow, countingWorkflow, cancellableWorkflow} {
		w.RegisterWorkflow(definition)
	}
	for _, definition := range []any{callTool, refuse, resumeFromHeartbeat, workUntilCancelled} {
		w.RegisterActivity(definition)
	}
	if err := w.Start(); err != nil {
		fmt.Println("FAILED  go worker:", err)
		os.Exit(1)
	}
	failed := 0
	for _, s := range stories {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := s.tell(ctx, c, queue); err != nil {
			failed++
			fmt.Printf("FAILED  go %s: %v\n", s.name, err)
		} else {
			fmt.Printf("ok      go %s\n", s.name)
		}
		cancel()
	}
	w.Stop()
	if failed > 0 {
		os.Exit(1)
	}
}
