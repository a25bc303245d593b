package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	partBytes        = 8 << 20
	deletedAtOnceMax = 1000
)

type user struct {
	client    *s3.Client
	presigner *s3.PresignClient
}

func (u user) makeBucket(ctx context.Context, in asked) error {
	_, err := u.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &in.Bucket})
	return err
}

func (u user) listBuckets(ctx context.Context) ([]string, error) {
	out, err := u.client.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, bucket := range out.Buckets {
		names = append(names, aws.ToString(bucket.Name))
	}
	return names, nil
}

func (u user) removeBucket(ctx context.Context, in asked) error {
	_, err := u.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &in.Bucket})
	return err
}

func (u user) put(ctx context.Context, in asked) error {
	file, err := os.Open(in.File)
	if err != nil {
		return err
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return err
	}
	if status.Size() > partBytes {
		return u.putParts(ctx, in, file, status.Size())
	}
	_, err = u.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &in.Bucket, Key: &in.Key, Body: file})
	return err
}

func (u user) putParts(ctx context.Context, in asked, file io.ReaderAt, size int64) error {
	begun, err := u.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket:            &in.Bucket,
		Key:               &in.Key,
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c,
	})
	if err != nil {
		return err
	}
	parts := []types.CompletedPart{}
	for at := int64(0); at < size; at += partBytes {
		number := aws.Int32(int32(len(parts) + 1))
		part, err := u.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket:            &in.Bucket,
			Key:               &in.Key,
			UploadId:          begun.UploadId,
			PartNumber:        number,
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c,
			Body:              io.NewSectionReader(file, at, min(partBytes, size-at)),
		})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{
			PartNumber:     number,
			ETag:           part.ETag,
			ChecksumCRC32C: part.ChecksumCRC32C,
		})
	}
	_, err = u.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket:          &in.Bucket,
		Key:             &in.Key,
		UploadId:        begun.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

func (u user) get(ctx context.Context, in asked) error {
	_, err := u.download(ctx, &s3.GetObjectInput{Bucket: &in.Bucket, Key: &in.Key}, in.File)
	return err
}

func (u user) getRange(ctx context.Context, in asked) error {
	_, err := u.download(ctx, &s3.GetObjectInput{
		Bucket: &in.Bucket,
		Key:    &in.Key,
		Range:  aws.String(fmt.Sprintf("bytes=%d-%d", in.First, in.Last)),
	}, in.File)
	return err
}

func (u user) download(
	ctx context.Context, input *s3.GetObjectInput, path string,
) (*s3.GetObjectOutput, error) {
	out, err := u.client.GetObject(ctx, input)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// The body's checksum, if there is one, is checked when its end is reached.
	_, err = io.Copy(file, out.Body)
	return out, err
}

func (u user) copy(ctx context.Context, in asked) error {
	_, err := u.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket:     &in.Bucket,
		Key:        &in.To,
		CopySource: aws.String(in.Bucket + "/" + url.PathEscape(in.From)),
	})
	return err
}

func (u user) list(ctx context.Context, in asked) (map[string][]string, error) {
	input := &s3.ListObjectsV2Input{
		Bucket: &in.Bucket,
		Prefix: &in.Prefix,
		// Keys may hold what XML cannot, so they are asked for in their encoded form.
		EncodingType: types.EncodingTypeUrl,
	}
	if in.Delimiter != "" {
		input.Delimiter = &in.Delimiter
	}
	keys, prefixes := []string{}, []string{}
	pages := s3.NewListObjectsV2Paginator(u.client, input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			key, err := url.QueryUnescape(aws.ToString(object.Key))
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
		for _, found := range page.CommonPrefixes {
			prefix, err := url.QueryUnescape(aws.ToString(found.Prefix))
			if err != nil {
				return nil, err
			}
			prefixes = append(prefixes, prefix)
		}
	}
	return map[string][]string{"keys": keys, "prefixes": prefixes}, nil
}

func (u user) putChecked(ctx context.Context, in asked) error {
	file, err := os.Open(in.File)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = u.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:            &in.Bucket,
		Key:               &in.Key,
		Body:              file,
		ChecksumAlgorithm: types.ChecksumAlgorithm(in.Algorithm),
	})
	if err != nil {
		return err
	}
	out, err := u.download(ctx, &s3.GetObjectInput{
		Bucket:       &in.Bucket,
		Key:          &in.Key,
		ChecksumMode: types.ChecksumModeEnabled,
	}, in.File)
	if err != nil {
		return err
	}
	kept := map[string]*string{
		"CRC32":     out.ChecksumCRC32,
		"CRC32C":    out.ChecksumCRC32C,
		"CRC64NVME": out.ChecksumCRC64NVME,
		"SHA1":      out.ChecksumSHA1,
		"SHA256":    out.ChecksumSHA256,
	}
	if kept[in.Algorithm] == nil {
		return fmt.Errorf("the answer has no %s", in.Algorithm)
	}
	return nil
}

func (u user) presign(ctx context.Context, in asked) (string, error) {
	request, err := u.presigner.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &in.Bucket, Key: &in.Key})
	if err != nil {
		return "", err
	}
	return request.URL, nil
}

func (u user) deleteKeys(ctx context.Context, in asked) error {
	for keys := in.Keys; len(keys) > 0; {
		count := min(deletedAtOnceMax, len(keys))
		objects := []types.ObjectIdentifier{}
		for _, key := range keys[:count] {
			objects = append(objects, types.ObjectIdentifier{Key: aws.String(key)})
		}
		keys = keys[count:]
		out, err := u.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &in.Bucket,
			Delete: &types.Delete{Objects: objects},
		})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("%s: %s", aws.ToString(out.Errors[0].Key), aws.ToString(out.Errors[0].Code))
		}
	}
	return nil
}
