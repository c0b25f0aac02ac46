//! Credentials where the options give none: from the environment, the profile, a web identity, a container, or the
//! instance metadata service.
//!
//! `aws-config` does the work. It is given the store's environment, and files that were read off the runtime thread and
//! put into the form that it accepts.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_types::date_time::{DateTime, Format};
use aws_types::os_shim_internal::{Env, Fs};
use serde_json::Value;
use sha1::{Digest, Sha1};
use tokio::process::Command;
use tokio::task::spawn_blocking;

use crate::aws::profile::{Profiles, Section};
use crate::date;
use crate::environment::{Environment, SharedEnvironment};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::sync::lock;
use crate::transport::http::HttpClient;
use crate::transport::sdk::SdkHttp;

const KEY_ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const TOKEN: &str = "aws_session_token";
/// The end of the year 9999, in seconds since 1970.
const LATEST_DATE: i64 = 253_402_300_799;
/// The names under which `aws-config` finds the files.
const CONFIG_FILE: &str = "config";
const CREDENTIALS_FILE: &str = "credentials";

/// What requests for credentials need.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The profile of the options, whose credentials take precedence over all others.
    pub profile: Option<String>,
    pub region: String,
    pub use_fips: bool,
    pub use_dual_stack: bool,
    pub retries: RetryConfig,
    pub timeouts: TimeoutConfig,
}

/// The default chain. Each call reads the environment and the files again.
#[derive(Debug)]
pub struct DefaultChain {
    setup: Setup,
    environment: SharedEnvironment,
    http: Arc<HttpClient>,
    /// Kept while its inputs stay the same, because it remembers what the instance metadata service returned.
    latest: Mutex<Option<Built>>,
}

/// What a provider of `aws-config` is made of.
#[derive(Clone, PartialEq)]
struct Inputs {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    profile: String,
}

#[derive(Clone)]
struct Built {
    inputs: Inputs,
    fs: Fs,
    provider: SharedCredentialsProvider,
}

/// Files and variables may hold secrets.
impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built").finish_non_exhaustive()
    }
}

impl ProvideCredentials for DefaultChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.credentials().await.map_err(CredentialsError::provider_error)
        })
    }
}

impl DefaultChain {
    pub fn new(setup: Setup, environment: SharedEnvironment, http: Arc<HttpClient>) -> Self {
        Self { setup, environment, http, latest: Mutex::default() }
    }

    async fn credentials(&self) -> Result<Credentials> {
        let environment = self.environment.get();
        let option = self.setup.profile.as_deref();
        if option.is_none()
            && let Some(credentials) = of_environment(&environment)
        {
            return Ok(credentials);
        }
        let profiles = Profiles::load(&environment, option).await;
        let method = Method::of(&profiles)?;
        let search = Search { environment, profiles, method, is_profile_only: option.is_some() };
        if search.is_profile_only && search.method.is_none() {
            return Err(search.nothing_found());
        }
        let mut keys = None;
        if let Some(Method { chain, base: Base::Process(command) }) = &search.method {
            let credentials = run_process(command, &chain[chain.len() - 1], &search.environment).await?;
            if chain.len() == 1 {
                return Ok(credentials);
            }
            keys = Some(credentials);
        }
        let Built { inputs, fs, provider } = self.build(search.inputs(keys.as_ref()).await?).await?;
        let outcome = provider.provide_credentials().await;
        if let Some(file) = search.sso_token_file() {
            save_if_refreshed(&file, &fs, &inputs).await;
        }
        outcome.map_err(|error| {
            *self.latest() = None;
            search.failure(error)
        })
    }

    async fn build(&self, inputs: Inputs) -> Result<Built> {
        if let Some(built) = &*self.latest()
            && built.inputs == inputs
        {
            return Ok(built.clone());
        }
        let env = Env::from(inputs.variables.clone().into_iter().collect::<HashMap<_, _>>());
        let files = inputs.files.iter().map(|(path, bytes)| (path.clone().into_os_string(), bytes.clone()));
        let fs = Fs::from_raw_map(files.collect());
        let Setup { region, use_fips, use_dual_stack, retries, timeouts, .. } = self.setup.clone();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .http_client(SdkHttp(Arc::clone(&self.http)))
            .env(env)
            .fs(fs.clone())
            .profile_name(&inputs.profile)
            .region(Region::new(region))
            .use_fips(use_fips)
            .use_dual_stack(use_dual_stack)
            .retry_config(retries)
            .timeout_config(timeouts)
            .load()
            .await;
        let provider = sdk
            .credentials_provider()
            .ok_or_else(|| Error::new(Kind::Internal, "there is no credentials provider"))?;
        let built = Built { inputs, fs, provider };
        *self.latest() = Some(built.clone());
        Ok(built)
    }

    fn latest(&self) -> MutexGuard<'_, Option<Built>> {
        lock(&self.latest)
    }
}

/// The keys of the environment, if it has both.
fn of_environment(environment: &Environment) -> Option<Credentials> {
    let mut credentials = Credentials::builder()
        .access_key_id(environment.get("AWS_ACCESS_KEY_ID")?)
        .secret_access_key(environment.get("AWS_SECRET_ACCESS_KEY")?)
        .provider_name("environment");
    let text = |name| environment.get(name).map(str::to_owned);
    credentials.set_session_token(text("AWS_SESSION_TOKEN"));
    credentials.set_account_id(text("AWS_ACCOUNT_ID").map(Into::into));
    let expiration = environment.get("AWS_CREDENTIAL_EXPIRATION");
    credentials.set_expiry(expiration.and_then(|date| time_of(date, environment)));
    Some(credentials.build())
}

/// How the selected profile gives credentials.
struct Method {
    /// The selected profile and the sources of the roles that it assumes. The last one is the base.
    chain: Vec<(String, Section)>,
    base: Base,
}

enum Base {
    Keys,
    WebIdentity(PathBuf),
    Process(String),
    /// The name under which the token is cached.
    Sso(String),
    /// `Environment`, `EcsContainer`, or `Ec2InstanceMetadata`.
    Named(String),
}

impl Method {
    /// Whether the base is an SSO session, whose token `aws-config` renews.
    fn has_sso_session(&self) -> bool {
        self.chain.last().is_some_and(|(_, section)| section.contains_key("sso_session"))
    }

    /// In the order of the AWS SDK for JavaScript. None where the profile does not exist or has no credentials.
    fn of(profiles: &Profiles) -> Result<Option<Self>> {
        let mut chain: Vec<(String, Section)> = Vec::new();
        let mut name = profiles.selected.clone();
        loop {
            let Some(section) = profiles.profile(&name) else {
                let Some((parent, _)) = chain.last() else {
                    return Ok(None);
                };
                let message = format!(
                    "profile {parent:?} names {name:?} as its source_profile, which does not exist in {}",
                    profiles.paths()
                );
                return Err(Error::new(Kind::Credentials, message));
            };
            let get = |name: &str| section.get(name).cloned();
            let has_keys = section.contains_key(KEY_ID) && section.contains_key(SECRET);
            let (source, named) = (get("source_profile"), get("credential_source"));
            let is_role = section.contains_key("role_arn") && source.is_some() != named.is_some();
            let is_first = chain.is_empty();
            let is_known = chain.iter().any(|(known, _)| *known == name);
            let is_own_source = source.as_ref() == Some(&name);
            chain.push((name.clone(), section.clone()));
            if has_keys && (!is_first || !is_role || is_own_source) {
                return Ok(Some(Self { chain, base: Base::Keys }));
            }
            match (is_role, source) {
                (true, Some(_)) if is_known || is_own_source => {
                    let message = format!("profile {name:?} is its own source_profile");
                    return Err(Error::new(Kind::Credentials, message));
                }
                (true, Some(source)) => {
                    name = source;
                    continue;
                }
                _ => {}
            }
            let session = get("sso_session");
            let base = if let Some(named) = named.filter(|_| is_role || !is_first) {
                Base::Named(named)
            } else if let Some(file) =
                get("web_identity_token_file").filter(|_| section.contains_key("role_arn"))
            {
                Base::WebIdentity(file.into())
            } else if let Some(command) = get("credential_process") {
                Base::Process(command)
            } else if let Some(id) = session.or_else(|| get("sso_start_url")) {
                Base::Sso(id)
            } else {
                return if is_first {
                    Ok(None)
                } else {
                    let message = format!("profile {name:?}, a source_profile, has no credentials");
                    Err(Error::new(Kind::Credentials, message))
                };
            };
            return Ok(Some(Self { chain, base }));
        }
    }
}

/// Where credentials are looked for.
struct Search {
    environment: Arc<Environment>,
    profiles: Profiles,
    method: Option<Method>,
    is_profile_only: bool,
}

impl Search {
    fn base(&self) -> Option<&Base> {
        self.method.as_ref().map(|method| &method.base)
    }

    fn is_named(&self, source: &str) -> bool {
        matches!(self.base(), Some(Base::Named(named)) if named.eq_ignore_ascii_case(source))
    }

    /// `keys` are those of the base of the profile, where it does not have them itself.
    async fn inputs(&self, keys: Option<&Credentials>) -> Result<Inputs> {
        let mut variables: BTreeMap<String, String> =
            self.environment.variables().clone().into_iter().collect();
        let of_environment =
            self.is_named("Environment").then(|| of_environment(&self.environment)).flatten();
        let config = self.rendered(keys.or(of_environment.as_ref()));
        variables.insert("AWS_CONFIG_FILE".into(), CONFIG_FILE.into());
        variables.insert("AWS_SHARED_CREDENTIALS_FILE".into(), CREDENTIALS_FILE.into());
        variables.remove("AWS_PROFILE");
        if let Some(disabled) = variables.get_mut("AWS_EC2_METADATA_DISABLED")
            && disabled != "false"
        {
            *disabled = "true".into();
        }
        if self.is_profile_only {
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
                variables.remove(name);
            }
            if !self.is_named("EcsContainer") {
                variables.remove(CONTAINER_PATH);
                variables.remove(CONTAINER_URL);
            }
            if !self.is_named("Ec2InstanceMetadata") {
                variables.insert("AWS_EC2_METADATA_DISABLED".into(), "true".into());
            }
        }
        let mut files = BTreeMap::from([(PathBuf::from(CONFIG_FILE), config.into_bytes())]);
        if let Some(path) = self.sso_token_file()
            && let Some(token) = read_if_present(&path).await?
        {
            let is_renewable = self.method.as_ref().is_some_and(Method::has_sso_session);
            if !is_renewable && has_expired(&token, &self.environment) {
                return Err(Error::new(Kind::Credentials, self.log_in_again())
                    .with_source("the SSO token has expired"));
            }
            files.insert(path, with_utc_dates(&token, &self.environment).unwrap_or(token));
        }
        for (path, source) in self.token_files() {
            let Some(token) = read_if_present(&path).await? else {
                let message = format!("{}, which {source} names, does not exist", path.display());
                return Err(Error::new(Kind::Credentials, message));
            };
            files.insert(path, token.trim_ascii().to_vec());
        }
        Ok(Inputs { variables, files, profile: identifier(&self.profiles.selected) })
    }

    /// Files with tokens that other programs renew.
    fn token_files(&self) -> Vec<(PathBuf, &'static str)> {
        let of_variable = |name| self.environment.get(name).map(|path| (path.into(), name));
        let web_identity =
            of_variable(WEB_IDENTITY_FILE).filter(|_| self.environment.get("AWS_ROLE_ARN").is_some());
        match self.base() {
            Some(Base::WebIdentity(path)) => vec![(path.clone(), "web_identity_token_file")],
            None if web_identity.is_some() => web_identity.into_iter().collect(),
            None if self.has_container() => of_variable(CONTAINER_TOKEN_FILE).into_iter().collect(),
            _ if self.is_named("EcsContainer") => of_variable(CONTAINER_TOKEN_FILE).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn has_container(&self) -> bool {
        self.environment.first([CONTAINER_PATH, CONTAINER_URL]).is_some()
    }

    fn sso_token_file(&self) -> Option<PathBuf> {
        let Some(Base::Sso(id)) = self.base() else {
            return None;
        };
        let name = hex::encode(Sha1::digest(id));
        Some(Path::new(self.environment.get("HOME")?).join(".aws/sso/cache").join(format!("{name}.json")))
    }

    /// The profiles that matter, as a config file that `aws-config` accepts. Of several methods in a profile, only the
    /// one that counts is left. The base gets `keys`.
    fn rendered(&self, keys: Option<&Credentials>) -> String {
        let mut text = String::new();
        let Some(Method { chain, base }) = &self.method else {
            return text;
        };
        for (index, (name, section)) in chain.iter().enumerate() {
            let _ = writeln!(text, "[profile {}]", identifier(name));
            let is_base = index + 1 == chain.len();
            let replaced = is_base && keys.is_some();
            let has_session =
                section.get("sso_session").is_some_and(|name| self.profiles.sso_session(name).is_some());
            for (property, value) in section {
                let is_left_out = match property.as_str() {
                    property if property.contains('.') => true,
                    "credential_process" => true,
                    "web_identity_token_file" => !matches!(base, Base::WebIdentity(_)),
                    "credential_source" => replaced || !matches!(base, Base::Named(_)),
                    "sso_region" | "sso_start_url" if has_session => true,
                    property if property.starts_with("sso_") => !is_base || !matches!(base, Base::Sso(_)),
                    KEY_ID | SECRET | TOKEN => replaced || !matches!(base, Base::Keys),
                    _ => false,
                };
                if is_left_out {
                    continue;
                }
                let value = if property == "source_profile" { identifier(value) } else { value.clone() };
                let _ = writeln!(text, "{property} = {value}");
            }
            if let Some(keys) = keys.filter(|_| is_base) {
                let _ = writeln!(
                    text,
                    "{KEY_ID} = {}\n{SECRET} = {}",
                    keys.access_key_id(),
                    keys.secret_access_key()
                );
                if let Some(token) = keys.session_token() {
                    let _ = writeln!(text, "{TOKEN} = {token}");
                }
                // A role whose credentials come from here names its own profile as the source.
                if section.contains_key("role_arn") && section.contains_key("credential_source") {
                    let _ = writeln!(text, "source_profile = {}", identifier(name));
                }
            }
        }
        if let Some((name, section)) = chain.last().and_then(|(_, section)| {
            let name = section.get("sso_session")?;
            Some((name, self.profiles.sso_session(name)?))
        }) {
            let _ = writeln!(text, "[sso-session {name}]");
            for (property, value) in section {
                let _ = writeln!(text, "{property} = {value}");
            }
        }
        self.profiles.render_services(&mut text);
        text
    }

    /// The error of `aws-config`, and what to do about it.
    fn failure(&self, error: CredentialsError) -> Error {
        if let Some(invalid) = self.invalid_variable() {
            return Error::new(Kind::Config, invalid).with_source(error);
        }
        let web_identity = self.environment.get(WEB_IDENTITY_FILE).filter(|_| self.method.is_none());
        let message = match self.base() {
            Some(Base::Sso(_)) => self.log_in_again(),
            Some(_) => format!("cannot load credentials from {}", self.profiles.place()),
            None if web_identity.is_some() => {
                format!("cannot load credentials with the token of {WEB_IDENTITY_FILE}")
            }
            None if self.has_container() => {
                "cannot load credentials from the container's credentials service".into()
            }
            None => return self.nothing_found().with_source(error),
        };
        Error::new(Kind::Credentials, message).with_source(error)
    }

    fn log_in_again(&self) -> String {
        format!(
            "cannot load credentials from the SSO session of {}: run `aws sso login --profile {}`",
            self.profiles.place(),
            self.profiles.selected
        )
    }

    /// A variable that makes the container's or the instance's service unreachable.
    fn invalid_variable(&self) -> Option<String> {
        let is_url = |text: &str| {
            text.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some())
        };
        let is_mode = |text: &str| ["ipv4", "ipv6"].contains(&text.to_ascii_lowercase().as_str());
        type Variable<'v> = (&'v str, &'v str, &'v dyn Fn(&str) -> bool);
        let variables: [Variable<'_>; 4] = [
            (CONTAINER_PATH, "a path that begins with /", &|text| text.starts_with('/')),
            (CONTAINER_URL, "an http or https URL", &is_url),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "an http or https URL", &is_url),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4 or IPv6", &is_mode),
        ];
        variables.into_iter().find_map(|(name, valid, is_valid)| {
            let value = self.environment.get(name)?;
            (!is_valid(value)).then(|| format!("{name} must be {valid}"))
        })
    }

    fn nothing_found(&self) -> Error {
        let complaint = self.profiles.complaint().unwrap_or_default();
        if self.is_profile_only {
            let (profile, place) = (&self.profiles.selected, self.profiles.place());
            let problem =
                if self.profiles.is_missing() { String::new() } else { format!(": {place} has none") };
            let message = format!(
                "no credentials for option profile{problem}{complaint}; add them with `aws configure --profile {profile}`"
            );
            return Error::new(Kind::Credentials, message);
        }
        let pair = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let half = match pair.map(|name| self.environment.get(name).is_some()) {
            [true, false] => format!(" ({} is set without {})", pair[0], pair[1]),
            [false, true] => format!(" ({} is set without {})", pair[1], pair[0]),
            _ => String::new(),
        };
        let is_disabled =
            self.environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value != "false");
        let instance =
            if is_disabled { " is disabled by AWS_EC2_METADATA_DISABLED" } else { " does not answer" };
        let message = format!(
            "no AWS credentials found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY{half}, add keys to {}, or attach \
             an IAM role to the function, container, or instance (the instance metadata service{instance}){complaint}",
            self.profiles.place()
        );
        Error::new(Kind::Credentials, message)
    }
}

const CONTAINER_PATH: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const CONTAINER_URL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const CONTAINER_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const WEB_IDENTITY_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// The name of a profile with the characters that `aws-config` allows.
fn identifier(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric() && !"_-/.%@:+".contains(c), "_")
}

async fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>> {
    match files::read(path).await {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("{} cannot be read", path.display());
            Err(Error::new(Kind::Credentials, message).with_source(error))
        }
    }
}

fn time_of(date: &str, environment: &Environment) -> Option<SystemTime> {
    let milliseconds = date::parse(date, environment.timezone_offset())?;
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default()))
}

/// A date in JSON: a text, or milliseconds since 1970.
fn milliseconds_of(date: &Value, environment: &Environment) -> Option<i64> {
    match date {
        Value::String(text) => date::parse(text, environment.timezone_offset()),
        date => date.as_f64().map(|milliseconds| milliseconds as i64),
    }
}

fn has_expired(token: &[u8], environment: &Environment) -> bool {
    let token: Value = serde_json::from_slice(token).unwrap_or_default();
    let expiry = milliseconds_of(&token["expiresAt"], environment);
    expiry.is_some_and(|at| DateTime::from_millis(at) <= DateTime::from(SystemTime::now()))
}

/// A cached SSO token with its dates in the one form that `aws-config` reads. As in the AWS SDK for JavaScript, a token
/// is used if its date cannot be read, such as `2026-11-26T10:00:00UTC` of older AWS CLIs.
fn with_utc_dates(token: &[u8], environment: &Environment) -> Option<Vec<u8>> {
    let mut token: serde_json::Map<String, Value> = serde_json::from_slice(token).ok()?;
    for (name, value) in &mut token {
        if ["expiresat", "registrationexpiresat"].contains(&name.to_ascii_lowercase().as_str()) {
            let date = milliseconds_of(value, environment).map(DateTime::from_millis);
            let date = date.unwrap_or_else(|| DateTime::from_secs(LATEST_DATE));
            *value = date.fmt(Format::DateTime).ok()?.into();
        }
    }
    serde_json::to_vec(&token).ok()
}

/// Writes a token that `aws-config` has renewed to the file that it came from, for the AWS CLI and later processes.
async fn save_if_refreshed(file: &Path, fs: &Fs, inputs: &Inputs) {
    let Ok(token) = fs.read_to_end(file).await else {
        return;
    };
    if inputs.files.get(file) != Some(&token) {
        let file = file.to_owned();
        // A read-only home folder is no reason to fail: the token is in memory.
        let _ = spawn_blocking(move || std::fs::write(file, token)).await;
    }
}

/// Runs the `credential_process` of a profile.
async fn run_process(
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
        // The process's own may differ from what the app sees.
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
        return Err(failed("did not print Version 1".into()));
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

/// `cmd.exe` has its own rules for quotes.
#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd.exe");
    shell.arg("/d").arg("/s").arg("/c").raw_arg(format!("\"{command}\""));
    shell
}
