module perdure.test/clients

go 1.24

require (
	github.com/google/uuid v1.6.0
	go.temporal.io/api v1.64.1
	go.temporal.io/sdk v1.50.0
)
