//! Finds out where credentials come from, and collects what `aws-config` needs to load them.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_credential_types::Credentials;
use sha1::{Digest, Sha1};

use super::config_file::{self, identifier};
use super::dates::time_of;
use super::method::{Base, Method};
use super::sso_token;
use crate::aws::profile::Profiles;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::files;

pub(super) const CONTAINER_PATH: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
pub(super) const CONTAINER_URL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const CONTAINER_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
pub(super) const WEB_IDENTITY_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The names under which `aws-config` finds the files.
const CONFIG_FILE: &str = "config";
const CREDENTIALS_FILE: &str = "credentials";

/// The inputs of a credentials provider of `aws-config`.
#[derive(Clone, PartialEq)]
pub(super) struct Inputs {
    pub variables: BTreeMap<String, String>,
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    pub profile: String,
}

/// Where to look for credentials.
pub(super) struct Search {
    pub environment: Arc<Environment>,
    pub profiles: Profiles,
    /// None if the selected profile has no credentials.
    pub method: Option<Method>,
    /// Whether only the profile of the options may provide credentials.
    pub is_profile_only: bool,
}

impl Search {
    pub(super) fn base(&self) -> Option<&Base> {
        self.method.as_ref().map(|method| &method.base)
    }

    fn is_named(&self, source: &str) -> bool {
        matches!(self.base(), Some(Base::Named(named)) if named.eq_ignore_ascii_case(source))
    }

    /// Reads the files that `aws-config` needs. `keys` are those of the base of the profile, if they come from elsewhere.
    pub(super) async fn inputs(&self, keys: Option<&Credentials>) -> Result<Inputs> {
        let mut variables: BTreeMap<String, String> =
            self.environment.variables().clone().into_iter().collect();
        let environment_keys =
            self.is_named("Environment").then(|| environment_credentials(&self.environment)).flatten();
        let config = self.method.as_ref().map(|method| {
            config_file::render(method, &self.profiles, keys.or(environment_keys.as_ref())).into_bytes()
        });
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
        let mut files = BTreeMap::from([(PathBuf::from(CONFIG_FILE), config.unwrap_or_default())]);
        if let Some(path) = self.sso_token_file()
            && let Some(token) = read_if_present(&path).await?
        {
            let is_renewable = self.method.as_ref().is_some_and(Method::has_sso_session);
            if !is_renewable && sso_token::has_expired(&token, &self.environment) {
                return Err(Error::new(Kind::Credentials, self.log_in_again())
                    .with_source("the SSO token has expired"));
            }
            files.insert(path, sso_token::with_utc_dates(&token, &self.environment).unwrap_or(token));
        }
        for (path, source) in self.token_files() {
            let Some(token) = read_if_present(&path).await? else {
                let message = format!("the file in {source} does not exist: {}", path.display());
                return Err(Error::new(Kind::Credentials, message));
            };
            files.insert(path, token.trim_ascii().to_vec());
        }
        Ok(Inputs { variables, files, profile: identifier(&self.profiles.selected) })
    }

    /// Files with tokens that other programs renew, and the setting that names each.
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

    pub(super) fn has_container(&self) -> bool {
        self.environment.first([CONTAINER_PATH, CONTAINER_URL]).is_some()
    }

    pub(super) fn sso_token_file(&self) -> Option<PathBuf> {
        let Some(Base::Sso(id)) = self.base() else {
            return None;
        };
        let name = hex::encode(Sha1::digest(id));
        Some(Path::new(self.environment.get("HOME")?).join(".aws/sso/cache").join(format!("{name}.json")))
    }

    pub(super) fn log_in_again(&self) -> String {
        format!(
            "cannot load credentials from the SSO session of {}: run `aws sso login --profile {}`",
            self.profiles.place(),
            self.profiles.selected
        )
    }
}

/// The keys in the environment, if both are set.
pub(super) fn environment_credentials(environment: &Environment) -> Option<Credentials> {
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
