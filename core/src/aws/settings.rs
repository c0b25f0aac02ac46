//! Reads the AWS settings of a store from its options, the environment, and the profile, in this order.

use std::fmt;
use std::str::FromStr;

use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::config::endpoint::{Params, ParamsBuilder};
use aws_types::endpoint_config::AccountIdEndpointMode;

use crate::aws::profile::Profiles;
use crate::config::Config;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::transport::Endpoint;

#[derive(Debug)]
pub(crate) struct Settings {
    pub region: String,
    pub use_fips: bool,
    pub use_dual_stack: bool,
    pub retries: RetryConfig,
    /// Everything that determines the endpoint, except the account, which may come with the credentials.
    pub endpoint: ParamsBuilder,
}

impl Settings {
    pub(crate) fn new(config: &Config, environment: &Environment, profiles: &Profiles) -> Result<Self> {
        let sources = Sources { environment, profiles };
        let region = region(config, &sources)?;
        let use_fips = config.use_fips.map_or_else(
            || sources.parsed("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            |given| Ok(Some(Switch(given))),
        )?;
        let use_dual_stack = config.use_dual_stack.map_or_else(
            || sources.parsed("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
            |given| Ok(Some(Switch(given))),
        )?;
        let mode = config.account_id_endpoint_mode.clone().map_or_else(
            || sources.parsed("AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode"),
            |given| Ok(Some(AccountMode(given))),
        )?;
        let [use_fips, use_dual_stack] =
            [use_fips, use_dual_stack].map(|switch| switch.is_some_and(|on| on.0));
        let endpoint = Params::builder()
            .region(&region)
            .use_fips(use_fips)
            .use_dual_stack(use_dual_stack)
            .set_endpoint(custom_endpoint(config, &sources, &region)?)
            .account_id_endpoint_mode(mode.unwrap_or_default().0.to_string())
            .resource_arn(&config.table);
        Ok(Self { use_fips, use_dual_stack, retries: retries(config, &sources)?, endpoint, region })
    }
}

/// The Region, which must be valid in a host name.
fn region(config: &Config, sources: &Sources<'_>) -> Result<String> {
    let profile = sources.profiles.profile(&sources.profiles.selected);
    let found =
        config.region.as_deref().map(|region| FoundSetting { value: region, source: "option region".into() });
    let found = found
        .or_else(|| sources.variable("AWS_REGION"))
        .or_else(|| sources.variable("AWS_DEFAULT_REGION"))
        .or_else(|| Some(sources.of_profile(profile.as_ref()?.get("region")?, "region")));
    let Some(found) = found else {
        let problems = sources.profiles.problems().unwrap_or_default();
        let message = format!(
            "no Region: set the option region, AWS_REGION, or region in {}{problems}",
            sources.profiles.place()
        );
        return Err(Error::new(Kind::Config, message));
    };
    let is_label = (1..=63).contains(&found.value.len())
        && found.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !found.value.starts_with('-')
        && !found.value.ends_with('-');
    if is_label {
        Ok(found.value.to_owned())
    } else {
        Err(found.invalid("the name of a Region, such as us-east-1"))
    }
}

/// The endpoint of the options, the environment, or the profile.
fn custom_endpoint(config: &Config, sources: &Sources<'_>, region: &str) -> Result<Option<String>> {
    let found = match &config.endpoint {
        Some(endpoint) => FoundSetting { value: endpoint, source: "option endpoint".into() },
        None => {
            let ignored =
                sources.parsed("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")?;
            let configured = || {
                let profiles = sources.profiles;
                let of_profile = |value| sources.of_profile(value, "endpoint_url");
                sources
                    .variable("AWS_ENDPOINT_URL_DYNAMODB")
                    .or_else(|| sources.variable("AWS_ENDPOINT_URL"))
                    .or_else(|| profiles.service_property("dynamodb", "endpoint_url").map(of_profile))
                    .or_else(|| profiles.property("endpoint_url").map(of_profile))
            };
            match ignored {
                Some(Switch(true)) => return Ok(None),
                _ => match configured() {
                    Some(found) => found,
                    None => return Ok(None),
                },
            }
        }
    };
    match Endpoint::new(found.value, region) {
        Ok(_) => Ok(Some(found.value.to_owned())),
        // Without the URL, which may contain a password.
        Err(_) => {
            let message = format!("{} must be an http or https URL with a host and no query", found.source);
            Err(Error::new(Kind::Config, message))
        }
    }
}

/// The retry settings. `aws-config` would panic on unknown values.
fn retries(config: &Config, sources: &Sources<'_>) -> Result<RetryConfig> {
    let mode = sources.parsed("AWS_RETRY_MODE", "retry_mode")?;
    let retries =
        if mode == Some(RetryMode::Adaptive) { RetryConfig::adaptive() } else { RetryConfig::standard() };
    let attempts = config.max_attempts.map_or_else(
        || sources.parsed("AWS_MAX_ATTEMPTS", "max_attempts"),
        |given| Ok(Some(Attempts(given))),
    )?;
    Ok(attempts.map_or(retries.clone(), |Attempts(attempts)| retries.with_max_attempts(attempts)))
}

struct Sources<'s> {
    environment: &'s Environment,
    profiles: &'s Profiles,
}

/// A value, and where it was found.
struct FoundSetting<'s> {
    value: &'s str,
    source: String,
}

impl<'s> Sources<'s> {
    fn variable(&self, name: &'static str) -> Option<FoundSetting<'s>> {
        Some(FoundSetting { value: self.environment.get(name)?, source: name.into() })
    }

    fn of_profile<'v>(&self, value: &'v str, property: &str) -> FoundSetting<'v> {
        FoundSetting { value, source: format!("{property} in {}", self.profiles.place()) }
    }

    fn parsed<T: Setting>(&self, variable: &'static str, property: &str) -> Result<Option<T>> {
        let of_profile = || Some(self.of_profile(self.profiles.property(property)?, property));
        let Some(found) = self.variable(variable).or_else(of_profile) else {
            return Ok(None);
        };
        found.value.parse().map(Some).map_err(|_| found.invalid(T::VALID))
    }
}

impl FoundSetting<'_> {
    fn invalid(&self, valid: &str) -> Error {
        const LONGEST: usize = 40;
        let shown: String = self.value.chars().take(LONGEST).collect();
        Error::new(Kind::Config, format!("{} must be {valid}, not {shown:?}", self.source))
    }
}

trait Setting: FromStr {
    /// The valid values, for error messages.
    const VALID: &str;
}

struct Switch(bool);

impl Setting for Switch {
    const VALID: &str = "true or false";
}

impl FromStr for Switch {
    type Err = fmt::Error;

    fn from_str(text: &str) -> Result<Self, fmt::Error> {
        text.to_ascii_lowercase().parse().map(Switch).map_err(|_| fmt::Error)
    }
}

#[derive(PartialEq)]
enum RetryMode {
    Standard,
    Adaptive,
}

impl Setting for RetryMode {
    const VALID: &str = "standard, adaptive, or legacy";
}

impl FromStr for RetryMode {
    type Err = fmt::Error;

    fn from_str(text: &str) -> Result<Self, fmt::Error> {
        match text.to_ascii_lowercase().as_str() {
            // `legacy` differs between SDKs. The ones that have removed it treat it as `standard`.
            "standard" | "legacy" => Ok(Self::Standard),
            "adaptive" => Ok(Self::Adaptive),
            _ => Err(fmt::Error),
        }
    }
}

struct Attempts(u32);

impl Setting for Attempts {
    const VALID: &str = "a whole number of at least 1";
}

impl FromStr for Attempts {
    type Err = fmt::Error;

    fn from_str(text: &str) -> Result<Self, fmt::Error> {
        text.parse().ok().filter(|attempts| *attempts > 0).map(Attempts).ok_or(fmt::Error)
    }
}

#[derive(Default)]
struct AccountMode(AccountIdEndpointMode);

impl Setting for AccountMode {
    const VALID: &str = "preferred, disabled, or required";
}

impl FromStr for AccountMode {
    type Err = fmt::Error;

    fn from_str(text: &str) -> Result<Self, fmt::Error> {
        text.parse().map(AccountMode).map_err(|_| fmt::Error)
    }
}
