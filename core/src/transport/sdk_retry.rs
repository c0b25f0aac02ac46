//! Makes the AWS SDK retry the same errors as the data plane, and counts its retries with the others.

use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::http::HttpClient;
use super::retry::{self, RetryReason};
use crate::transport::sdk_error::error_of;

/// Retries what the data plane retries. The SDK's own classifiers do not recognize all forms of an error.
#[derive(Debug)]
pub(crate) struct SdkRetries;

impl ClassifyRetry for SdkRetries {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().and_then(error_of).as_ref().and_then(retry::reason) {
            Some(RetryReason::Throttled) => RetryAction::throttling_error(),
            Some(RetryReason::Transient) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "SdkRetries"
    }
}

/// Counts attempts after the first, and throttling errors.
#[derive(Debug)]
pub(crate) struct SdkCounter(pub Arc<HttpClient>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for SdkCounter {
    fn name(&self) -> &'static str {
        "SdkCounter"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<RequestAttempts>().is_some_and(|attempts| attempts.attempts() > 1) {
            self.0.stats().retries.add(1);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(error) = context.response().and_then(error_of)
            && retry::reason(&error) == Some(RetryReason::Throttled)
        {
            self.0.stats().count_throttle(&error);
        }
        Ok(())
    }
}
