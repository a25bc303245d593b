//! What a user does with aws-sdk-rust, a step a line: see program-tool.ts for what is asked and
//! answered.

mod steps;

use aws_config::Region;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Builder, Credentials};
use aws_sdk_s3::error::DisplayErrorContext;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let config = Builder::new()
        .behavior_version_latest()
        .region(Region::new(variable("AWS_REGION")))
        .endpoint_url(variable("AWS_ENDPOINT_URL"))
        .credentials_provider(Credentials::new(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "environment",
        ))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .build();
    let client = Client::from_conf(config);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let input: Value = serde_json::from_str(&line)?;
        let said = match steps::take(&client, &input).await {
            Ok(done) => json!({ "done": done }),
            Err(error) => json!({ "error": DisplayErrorContext(&*error).to_string() }),
        };
        println!("{said}");
    }
    Ok(())
}
