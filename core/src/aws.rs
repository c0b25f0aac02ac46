//! Region, endpoint and credentials: from the options, else from aws-config's default chain.

use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::IdentityCache;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_types::os_shim_internal::Env;
use aws_types::service_config::ServiceConfigKey;

use crate::config::Config;
use crate::credentials::CredentialsCache;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::transport::http::HttpClient;
use crate::transport::sdk::SdkHttp;
use crate::transport::{Endpoint, Limits, Transport};

/// Attempts where neither the options nor the environment (`AWS_MAX_ATTEMPTS`) say.
const DEFAULT_ATTEMPTS: u32 = 3;
/// The longest pause before the AWS SDK's second attempt. Its own is a second, as long as some apps allow a whole
/// operation.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Both ways to DynamoDB.
#[derive(Debug)]
pub struct Aws {
    pub transport: Transport,
    /// The control plane.
    pub client: aws_sdk_dynamodb::Client,
    pub credentials: CredentialsCache,
}

impl Aws {
    /// Settles what the options leave to the environment. `provider` is the caller's own.
    pub async fn connect(
        config: &Config,
        environment: &Environment,
        provider: Option<SharedCredentialsProvider>,
        http: Arc<HttpClient>,
    ) -> Result<Self> {
        let sdk = load(config, environment, provider, &http).await;
        let region = sdk.region().map(ToString::to_string).ok_or_else(|| {
            Error::new(
                Kind::Config,
                "no region: give the option region, or set AWS_REGION or a region in the profile",
            )
        })?;
        let endpoint = Endpoint::new(&endpoint_url(&sdk, config, &region).await?, &region)?;
        let provider = sdk
            .credentials_provider()
            .ok_or_else(|| Error::new(Kind::Credentials, "there is no credentials provider"))?;
        let max_attempts = sdk.retry_config().map_or(DEFAULT_ATTEMPTS, RetryConfig::max_attempts);
        let retries = sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let limits =
            Limits { attempt_timeout: config.attempt_timeout, timeout: config.timeout, max_attempts };
        let credentials = CredentialsCache::new(provider, config.timeout);
        // A second cache would go on with what the first one has forgotten.
        let conf = aws_sdk_dynamodb::config::Builder::from(&sdk)
            .credentials_provider(credentials.clone())
            .identity_cache(IdentityCache::no_cache())
            .retry_config(retries.with_initial_backoff(FIRST_PAUSE))
            .build();
        Ok(Self {
            transport: Transport::new(http, endpoint, credentials.clone(), limits),
            client: aws_sdk_dynamodb::Client::from_conf(conf),
            credentials,
        })
    }
}

async fn load(
    config: &Config,
    environment: &Environment,
    provider: Option<SharedCredentialsProvider>,
    http: &Arc<HttpClient>,
) -> SdkConfig {
    let mut profile_region = ProfileFileRegionProvider::builder();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(SdkHttp(Arc::clone(http)))
        .env(Env::from(environment.variables().clone()));
    if let Some(profile) = &config.profile {
        profile_region = profile_region.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    // Without the instance metadata service, which takes seconds to be absent.
    let region = RegionProviderChain::first_try(config.region.clone().map(Region::new))
        .or_else(
            environment
                .first(["AWS_REGION", "AWS_DEFAULT_REGION"])
                .map(|(_, name)| Region::new(name.to_owned())),
        )
        .or_else(profile_region.build())
        .region()
        .await;
    loader = loader.region(region.clone()).timeout_config(
        TimeoutConfig::builder()
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.attempt_timeout)
            .operation_timeout(config.timeout)
            .build(),
    );
    if let Some(max_attempts) = config.max_attempts {
        loader = loader.retry_config(RetryConfig::standard().with_max_attempts(max_attempts));
    }
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(use_fips) = config.use_fips {
        loader = loader.use_fips(use_fips);
    }
    if let Some(use_dual_stack) = config.use_dual_stack {
        loader = loader.use_dual_stack(use_dual_stack);
    }
    let loader = match (provider, config.credentials.clone(), &config.profile) {
        (Some(provider), ..) => loader.credentials_provider(provider),
        (None, Some(keys), _) => loader.credentials_provider(Credentials::from(keys)),
        // Who names a profile means it; the default chain would take keys of the environment before.
        (None, None, Some(profile)) => {
            let setting = ProviderConfig::without_region()
                .with_region(region)
                .with_http_client(SdkHttp(Arc::clone(http)));
            let provider =
                ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&setting);
            loader.credentials_provider(provider.build())
        }
        (None, None, None) => loader,
    };
    loader.load().await
}

/// The endpoint option, the environment's or profile's endpoint, or the region's own.
async fn endpoint_url(sdk: &SdkConfig, config: &Config, region: &str) -> Result<String> {
    if let Some(endpoint) = &config.endpoint {
        return Ok(endpoint.clone());
    }
    let key =
        ServiceConfigKey::builder().service_id("DynamoDB").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let configured = key.build().ok().and_then(|key| sdk.service_config()?.load_config(key));
    if let Some(url) = configured.or_else(|| sdk.endpoint_url().map(str::to_owned)) {
        return Ok(url);
    }
    let unknown = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(Kind::Config, format!("there is no endpoint for the region {region}")).with_source(error)
    };
    let parameters = Params::builder()
        .region(region)
        .use_fips(sdk.use_fips().unwrap_or_default())
        .use_dual_stack(sdk.use_dual_stack().unwrap_or_default())
        .build()
        .map_err(|error| unknown(error.into()))?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&parameters).await.map_err(unknown)?;
    Ok(endpoint.url().to_owned())
}
