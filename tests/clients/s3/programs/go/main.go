// What a user does with aws-sdk-go-v2, a step a line: see program-tool.ts for what is asked and
// answered.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A line may hold some thousand keys.
const lineBytesMax = 16 << 20

// What is asked; each step reads the fields that it needs.
type asked struct {
	Step      string
	Bucket    string
	Key       string
	File      string
	First     int64
	Last      int64
	From      string
	To        string
	Prefix    string
	Delimiter string
	Algorithm string
	Keys      []string
}

type answer struct {
	Done  any    `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	client := s3.New(s3.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "",
		),
		UsePathStyle:     true,
		RetryMaxAttempts: 1,
	})
	user := user{client: client, presigner: s3.NewPresignClient(client)}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		done, err := user.take(context.Background(), lines.Bytes())
		said := answer{Done: done}
		if err != nil {
			said = answer{Error: err.Error()}
		}
		if err := answers.Encode(said); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func (u user) take(ctx context.Context, line []byte) (any, error) {
	var in asked
	if err := json.Unmarshal(line, &in); err != nil {
		return nil, err
	}
	switch in.Step {
	case "makeBucket":
		return nil, u.makeBucket(ctx, in)
	case "listBuckets":
		return u.listBuckets(ctx)
	case "removeBucket":
		return nil, u.removeBucket(ctx, in)
	case "put":
		return nil, u.put(ctx, in)
	case "get":
		return nil, u.get(ctx, in)
	case "getRange":
		return nil, u.getRange(ctx, in)
	case "copy":
		return nil, u.copy(ctx, in)
	case "list":
		return u.list(ctx, in)
	case "putChecked":
		return nil, u.putChecked(ctx, in)
	case "presign":
		return u.presign(ctx, in)
	case "deleteKeys":
		return nil, u.deleteKeys(ctx, in)
	default:
		return nil, fmt.Errorf("there is no step %q", in.Step)
	}
}
