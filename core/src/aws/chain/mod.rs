//! The default credentials chain: the environment, the profile, a web identity, a container, or the instance metadata
//! service.
//!
//! `aws-config` does the work. It gets the variables of the store's environment, and files that were read on a separate
//! thread and rewritten to the form that it accepts.

mod config_file;
mod dates;
mod errors;
mod method;
mod process;
mod search;
mod sso_token;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::os_shim_internal::{Env, Fs};

use crate::aws::profile::Profiles;
use crate::environment::SharedEnvironment;
use crate::error::{Error, Kind, Result};
use crate::sync::lock;
use crate::transport::http::HttpClient;
use crate::transport::sdk_http::SdkHttp;
use method::{Base, Method};
use process::run_process;
use search::{Inputs, Search, environment_credentials};
use sso_token::save_if_renewed;

/// Settings for the requests that fetch credentials.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
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
pub(crate) struct DefaultChain {
    setup: Setup,
    environment: SharedEnvironment,
    http: Arc<HttpClient>,
    /// Reused while its inputs stay the same, because it caches what the instance metadata service returned.
    latest: Mutex<Option<Built>>,
}

#[derive(Clone)]
struct Built {
    inputs: Inputs,
    fs: Fs,
    provider: SharedCredentialsProvider,
}

/// Prints nothing, because files and variables may contain secrets.
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
    pub(crate) fn new(setup: Setup, environment: SharedEnvironment, http: Arc<HttpClient>) -> Self {
        Self { setup, environment, http, latest: Mutex::default() }
    }

    async fn credentials(&self) -> Result<Credentials> {
        let environment = self.environment.get();
        let option = self.setup.profile.as_deref();
        if option.is_none()
            && let Some(credentials) = environment_credentials(&environment)
        {
            return Ok(credentials);
        }
        let profiles = Profiles::load(&environment, option).await;
        let method = Method::find(&profiles)?;
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
            save_if_renewed(&file, &fs, inputs.files.get(&file)).await;
        }
        outcome.map_err(|error| {
            *lock(&self.latest) = None;
            search.failure(error)
        })
    }

    async fn build(&self, inputs: Inputs) -> Result<Built> {
        if let Some(built) = &*lock(&self.latest)
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
            .ok_or_else(|| Error::new(Kind::Internal, "aws-config returned no credentials provider"))?;
        let built = Built { inputs, fs, provider };
        *lock(&self.latest) = Some(built.clone());
        Ok(built)
    }
}
