//! How the selected profile provides credentials.

use std::path::PathBuf;

use crate::aws::profile::{Profiles, Section};
use crate::error::{Error, Kind, Result};

pub(super) const KEY_ID: &str = "aws_access_key_id";
pub(super) const SECRET: &str = "aws_secret_access_key";
pub(super) const TOKEN: &str = "aws_session_token";

/// How the selected profile provides credentials.
pub(super) struct Method {
    /// The selected profile and the sources of the roles that it assumes. The last one is the base.
    pub chain: Vec<(String, Section)>,
    pub base: Base,
}

/// Where the credentials come from, before any role is assumed.
pub(super) enum Base {
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
    pub(super) fn has_sso_session(&self) -> bool {
        self.chain.last().is_some_and(|(_, section)| section.contains_key("sso_session"))
    }

    /// Checks the properties in the order of the AWS SDK for JavaScript. Returns None if the profile does not exist or has
    /// no credentials.
    pub(super) fn find(profiles: &Profiles) -> Result<Option<Self>> {
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
                    let message = format!("the source_profile {name:?} has no credentials");
                    Err(Error::new(Kind::Credentials, message))
                };
            };
            return Ok(Some(Self { chain, base }));
        }
    }
}
