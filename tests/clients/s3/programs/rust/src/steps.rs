//! Each step in the SDK's words.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, EncodingType,
    ObjectIdentifier,
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

const STREAMS_FROM_BYTES: u64 = 64 << 10;
const PART_BYTES: u64 = 8 << 20;
const DELETED_AT_ONCE_MAX: usize = 1000;

type Answer<T = Value> = Result<T, Box<dyn Error>>;

pub async fn take(client: &Client, input: &Value) -> Answer {
    let step = Step { client, input };
    match step.text("step") {
        "makeBucket" => step.make_bucket().await,
        "listBuckets" => step.list_buckets().await,
        "removeBucket" => step.remove_bucket().await,
        "put" => step.put().await,
        "get" => step.get().await,
        "getRange" => step.get_range().await,
        "copy" => step.copy().await,
        "list" => step.list().await,
        "putChecked" => step.put_checked().await,
        "presign" => step.presign().await,
        "deleteKeys" => step.delete_keys().await,
        other => Err(format!("there is no step {other}").into()),
    }
}

struct Step<'a> {
    client: &'a Client,
    input: &'a Value,
}

impl<'a> Step<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.input[name].as_str().unwrap_or_default()
    }

    async fn make_bucket(&self) -> Answer {
        self.client
            .create_bucket()
            .bucket(self.text("bucket"))
            .send()
            .await?;
        Ok(Value::Null)
    }

    async fn list_buckets(&self) -> Answer {
        let out = self.client.list_buckets().send().await?;
        let names: Vec<_> = out
            .buckets()
            .iter()
            .filter_map(|bucket| bucket.name())
            .collect();
        Ok(json!(names))
    }

    async fn remove_bucket(&self) -> Answer {
        self.client
            .delete_bucket()
            .bucket(self.text("bucket"))
            .send()
            .await?;
        Ok(Value::Null)
    }

    async fn put(&self) -> Answer {
        let size = tokio::fs::metadata(self.text("file")).await?.len();
        if size > PART_BYTES {
            return self.put_parts(size).await;
        }
        // What is read while it is sent has its checksum behind it, the rest before it.
        let body = if size < STREAMS_FROM_BYTES {
            ByteStream::from(tokio::fs::read(self.text("file")).await?)
        } else {
            ByteStream::from_path(self.text("file")).await?
        };
        self.client
            .put_object()
            .bucket(self.text("bucket"))
            .key(self.text("key"))
            .body(body)
            .send()
            .await?;
        Ok(Value::Null)
    }

    async fn put_parts(&self, size: u64) -> Answer {
        let (bucket, key) = (self.text("bucket"), self.text("key"));
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .send()
            .await?;
        let id = begun.upload_id().unwrap_or_default();
        let mut parts = CompletedMultipartUpload::builder();
        for (number, offset) in (1..).zip((0..size).step_by(PART_BYTES as usize)) {
            let body = ByteStream::read_from()
                .path(self.text("file"))
                .offset(offset)
                .length(Length::Exact(PART_BYTES.min(size - offset)))
                .build()
                .await?;
            let part = self
                .client
                .upload_part()
                .bucket(bucket)
                .key(key)
                .upload_id(id)
                .part_number(number)
                .body(body)
                .send()
                .await?;
            let completed = CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag().map(String::from))
                .set_checksum_crc32(part.checksum_crc32().map(String::from))
                .build();
            parts = parts.parts(completed);
        }
        self.client
            .complete_multipart_upload()
            .bucket(bucket)
            .key(key)
            .upload_id(id)
            .multipart_upload(parts.build())
            .send()
            .await?;
        Ok(Value::Null)
    }

    fn ask(&self) -> GetObjectFluentBuilder {
        self.client
            .get_object()
            .bucket(self.text("bucket"))
            .key(self.text("key"))
    }

    async fn get(&self) -> Answer {
        self.save(self.ask().send().await?).await
    }

    async fn get_range(&self) -> Answer {
        let range = format!("bytes={}-{}", self.input["first"], self.input["last"]);
        self.save(self.ask().range(range).send().await?).await
    }

    async fn save(&self, out: GetObjectOutput) -> Answer {
        let mut file = tokio::fs::File::create(self.text("file")).await?;
        let mut body = out.body;
        while let Some(bytes) = body.try_next().await? {
            file.write_all(&bytes).await?;
        }
        file.flush().await?;
        Ok(Value::Null)
    }

    async fn copy(&self) -> Answer {
        let bucket = self.text("bucket");
        let from = utf8_percent_encode(self.text("from"), NON_ALPHANUMERIC);
        self.client
            .copy_object()
            .bucket(bucket)
            .key(self.text("to"))
            .copy_source(format!("{bucket}/{from}"))
            .send()
            .await?;
        Ok(Value::Null)
    }

    async fn list(&self) -> Answer {
        // Keys may hold what XML cannot, so they are asked for in their encoded form.
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(self.text("bucket"))
            .prefix(self.text("prefix"))
            .set_delimiter(self.input["delimiter"].as_str().map(String::from))
            .encoding_type(EncodingType::Url)
            .into_paginator()
            .send();
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        while let Some(page) = pages.try_next().await? {
            for key in page.contents().iter().filter_map(|object| object.key()) {
                keys.push(decode(key)?);
            }
            for prefix in page
                .common_prefixes()
                .iter()
                .filter_map(|found| found.prefix())
            {
                prefixes.push(decode(prefix)?);
            }
        }
        Ok(json!({ "keys": keys, "prefixes": prefixes }))
    }

    async fn put_checked(&self) -> Answer {
        let algorithm = self.text("algorithm");
        self.client
            .put_object()
            .bucket(self.text("bucket"))
            .key(self.text("key"))
            .checksum_algorithm(ChecksumAlgorithm::from(algorithm))
            .body(ByteStream::from_path(self.text("file")).await?)
            .send()
            .await?;
        let out = self
            .ask()
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await?;
        let kept = match algorithm {
            "CRC32" => out.checksum_crc32(),
            "CRC32C" => out.checksum_crc32_c(),
            "CRC64NVME" => out.checksum_crc64_nvme(),
            "SHA1" => out.checksum_sha1(),
            "SHA256" => out.checksum_sha256(),
            _ => None,
        };
        if kept.is_none() {
            return Err(format!("the answer has no {algorithm}").into());
        }
        self.save(out).await
    }

    async fn presign(&self) -> Answer {
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(300))?;
        Ok(json!(self.ask().presigned(lifetime).await?.uri()))
    }

    async fn delete_keys(&self) -> Answer {
        let keys = self.input["keys"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        for some in keys.chunks(DELETED_AT_ONCE_MAX) {
            let mut objects = Delete::builder();
            for key in some.iter().filter_map(Value::as_str) {
                objects = objects.objects(ObjectIdentifier::builder().key(key).build()?);
            }
            let out = self
                .client
                .delete_objects()
                .bucket(self.text("bucket"))
                .delete(objects.build()?)
                .send()
                .await?;
            if let Some(error) = out.errors().first() {
                return Err(format!("{error:?}").into());
            }
        }
        Ok(Value::Null)
    }
}

fn decode(text: &str) -> Answer<String> {
    let spaced = text.replace('+', " ");
    Ok(percent_decode_str(&spaced).decode_utf8()?.into_owned())
}
