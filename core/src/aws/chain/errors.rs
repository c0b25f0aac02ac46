//! Error messages for credentials that cannot be loaded, and what to do about it.

use aws_credential_types::provider::error::CredentialsError;

use super::method::Base;
use super::search::{CONTAINER_PATH, CONTAINER_URL, Search, WEB_IDENTITY_FILE};
use crate::error::{Error, Kind};

impl Search {
    /// Converts an error of `aws-config`, and adds what to do about it.
    pub(super) fn failure(&self, error: CredentialsError) -> Error {
        if let Some(invalid) = self.invalid_variable() {
            return Error::new(Kind::Config, invalid).with_source(error);
        }
        let web_identity = self.environment.get(WEB_IDENTITY_FILE).filter(|_| self.method.is_none());
        let message = match self.base() {
            Some(Base::Sso(_)) => self.log_in_again(),
            Some(_) => format!("cannot load credentials from {}", self.profiles.place()),
            None if web_identity.is_some() => {
                format!("cannot load credentials with the token in {WEB_IDENTITY_FILE}")
            }
            None if self.has_container() => {
                "cannot load credentials from the container credentials endpoint".into()
            }
            None => return self.nothing_found().with_source(error),
        };
        Error::new(Kind::Credentials, message).with_source(error)
    }

    /// The invalid variable that makes the credentials endpoint of the container or instance unreachable, if any.
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

    pub(super) fn nothing_found(&self) -> Error {
        let problems = self.profiles.problems().unwrap_or_default();
        if self.is_profile_only {
            let (profile, place) = (&self.profiles.selected, self.profiles.place());
            let problem =
                if self.profiles.is_missing() { String::new() } else { format!(": {place} has none") };
            let message = format!(
                "no credentials for option profile{problem}{problems}; add them with `aws configure --profile {profile}`"
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
            if is_disabled { " is disabled by AWS_EC2_METADATA_DISABLED" } else { " does not respond" };
        let message = format!(
            "no AWS credentials found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY{half}, add keys to {}, or attach \
             an IAM role to the function, container, or instance (the instance metadata service{instance}){problems}",
            self.profiles.place()
        );
        Error::new(Kind::Credentials, message)
    }
}
