//! Runs the `credential_process` of a profile.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use serde_json::Value;
use tokio::process::Command;

use super::dates::milliseconds_of;
use crate::aws::profile::Section;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};

/// Runs the `credential_process` of a profile.
pub(super) async fn run_process(
    command: &str,
    (profile, section): &(String, Section),
    environment: &Environment,
) -> Result<Credentials> {
    let failed = |problem: String| {
        Error::new(Kind::Credentials, format!("the credential_process of profile {profile:?} {problem}"))
    };
    let mut process = shell(command);
    for name in
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"]
    {
        // Those of this process may differ from what the app sees.
        process.env_remove(name);
    }
    let output = process
        .envs(environment.variables())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failed("cannot be started".into()).with_source(error))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let error = failed(format!("failed with {}", output.status));
        return Err(if errors.is_empty() { error } else { error.with_source(errors) });
    }
    let printed: serde_json::Map<String, Value> =
        serde_json::from_slice(&output.stdout).map_err(|_| failed("did not print a JSON object".into()))?;
    let get =
        |name: &str| printed.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let text = |name| get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if get("Version").and_then(Value::as_f64) != Some(1.0) {
        return Err(failed("did not print \"Version\": 1".into()));
    }
    let required = |name| text(name).ok_or_else(|| failed(format!("did not print {name}")));
    let expiry = get("Expiration").and_then(|date| milliseconds_of(date, environment)).filter(|at| *at != 0);
    let expiry = expiry.map(|at| UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or_default()));
    if expiry.is_some_and(|expiry| expiry < SystemTime::now()) {
        return Err(failed("printed credentials that have expired".into()));
    }
    let account = text("AccountId").or_else(|| section.get("aws_account_id").map(String::as_str));
    let mut credentials = Credentials::builder()
        .access_key_id(required("AccessKeyId")?)
        .secret_access_key(required("SecretAccessKey")?)
        .provider_name("credential_process");
    credentials.set_session_token(text("SessionToken").map(str::to_owned));
    credentials.set_expiry(expiry);
    credentials.set_account_id(account.map(Into::into));
    let mut credentials = credentials.build();
    let features: &mut Vec<_> = credentials.get_property_mut_or_default();
    features.push(AwsCredentialFeature::CredentialsProcess);
    Ok(credentials)
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]);
    shell
}

/// `cmd.exe` has quoting rules of its own.
#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd.exe");
    shell.arg("/d").arg("/s").arg("/c").raw_arg(format!("\"{command}\""));
    shell
}
