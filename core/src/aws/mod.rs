//! The AWS settings of a store, from its options and the environment, and the clients built from them.

pub(crate) mod chain;
pub(crate) mod profile;
pub(crate) mod settings;

use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::IdentityCache;

use crate::aws::chain::{DefaultChain, Setup};
use crate::aws::profile::Profiles;
use crate::aws::settings::Settings;
use crate::config::Config;
use crate::credentials::CredentialsCache;
use crate::environment::SharedEnvironment;
use crate::error::Result;
use crate::transport::http::HttpClient;
use crate::transport::sdk_http::SdkHttp;
use crate::transport::sdk_retry::{SdkCounter, SdkRetries};
use crate::transport::{EndpointResolver, OperationLimits, Transport};

/// The longest pause before the second attempt of the AWS SDK. Its default is a second, which is all that some apps
/// allow for a whole operation.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Everything that sends requests to DynamoDB.
#[derive(Debug)]
pub(crate) struct AwsClients {
    pub transport: Transport,
    /// Creates tables.
    pub client: aws_sdk_dynamodb::Client,
    pub credentials: CredentialsCache,
    pub region: String,
}

impl AwsClients {
    /// Reads the settings that the options leave to the environment. `provider` is a credentials provider of the caller.
    pub(crate) async fn from_settings(
        config: &Config,
        environment: SharedEnvironment,
        provider: Option<SharedCredentialsProvider>,
        http: Arc<HttpClient>,
    ) -> Result<Self> {
        let snapshot = environment.get();
        let profiles = Profiles::load(&snapshot, config.profile.as_deref()).await;
        let settings = Settings::new(config, &snapshot, &profiles)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.attempt_timeout)
            .operation_timeout(config.timeout)
            .build();
        let provider = match (provider, config.credentials.clone()) {
            (Some(provider), _) => provider,
            (None, Some(keys)) => SharedCredentialsProvider::new(Credentials::from(keys)),
            (None, None) => {
                let setup = Setup {
                    profile: config.profile.clone(),
                    region: settings.region.clone(),
                    use_fips: settings.use_fips,
                    use_dual_stack: settings.use_dual_stack,
                    retries: settings.retries.clone(),
                    timeouts: timeouts.clone(),
                };
                SharedCredentialsProvider::new(DefaultChain::new(setup, environment, Arc::clone(&http)))
            }
        };
        let endpoints = EndpointResolver::new(settings.endpoint)?;
        let limits = OperationLimits {
            attempt_timeout: config.attempt_timeout,
            timeout: config.timeout,
            max_attempts: settings.retries.max_attempts(),
        };
        let credentials = CredentialsCache::new(provider, config.timeout, config.credentials_may_change);
        // The SDK's own cache would keep credentials that ours has forgotten.
        let conf = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(SdkHttp(Arc::clone(&http)))
            .region(Region::new(settings.region.clone()))
            .timeout_config(timeouts)
            .credentials_provider(credentials.clone())
            .identity_cache(IdentityCache::no_cache())
            .endpoint_resolver(endpoints.clone())
            .retry_config(settings.retries.with_initial_backoff(FIRST_PAUSE))
            .retry_classifier(SdkRetries)
            .interceptor(SdkCounter(Arc::clone(&http)))
            .build();
        Ok(Self {
            transport: Transport::new(http, endpoints, credentials.clone(), limits),
            client: aws_sdk_dynamodb::Client::from_conf(conf),
            credentials,
            region: settings.region,
        })
    }
}
