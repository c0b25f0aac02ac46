//! Requests to a server that fails on demand.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use dynamodb_session_core::error::Kind;
use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::runtime;
use dynamodb_session_core::store::{Found, Store};
use dynamodb_session_core::transport::CallOptions;
use dynamodb_session_core::wire::request::Touch;
use serde_json::json;
use support::{FaultServer, Reaction, empty, response, service_error, store, trace};

const ITEM: NewItem<'_> = NewItem::new("a", "{}", 9);

#[tokio::test]
async fn temporary_errors_are_retried() {
    for reaction in [
        service_error(400, "ProvisionedThroughputExceededException"),
        service_error(400, "ThrottlingException"),
        service_error(400, "RequestLimitExceeded"),
        service_error(500, "InternalServerError"),
        response(502, "<html>"),
        response(503, ""),
        response(200, "no json"),
        Reaction::Respond { status: 200, headers: vec![("x-amz-crc32", "1".into())], body: "{}".into() },
        Reaction::Close,
        Reaction::CloseInBody,
    ] {
        let server = FaultServer::start([reaction.clone(), reaction.clone(), empty()]).await;
        let mut trace = trace();
        store(&server.endpoint, json!({}))
            .set(ITEM, CallOptions::default(), &mut trace)
            .await
            .unwrap_or_else(|error| panic!("{reaction:?}: {error}"));
        assert_eq!(trace.attempts, 3, "{reaction:?}");
    }
}

#[tokio::test]
async fn the_last_error_is_returned_with_the_number_of_attempts() {
    let throttled = || service_error(400, "ProvisionedThroughputExceededException");
    let server = FaultServer::start([throttled(), throttled(), throttled(), throttled()]).await;
    let mut trace = trace();
    let error = store(&server.endpoint, json!({ "maxAttempts": 2 }))
        .set(ITEM, CallOptions::default(), &mut trace)
        .await
        .unwrap_err();
    assert!(error.is_service("ProvisionedThroughputExceededException"));
    assert_eq!((trace.attempts, trace.status), (2, Some(400)));
}

#[tokio::test]
async fn permanent_errors_are_not_retried() {
    for name in ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"] {
        let server = FaultServer::start([service_error(400, name)]).await;
        let error = store(&server.endpoint, json!({}))
            .set(ITEM, CallOptions::default(), &mut trace())
            .await
            .unwrap_err();
        assert!(error.is_service(name));
        assert_eq!(server.requests().len(), 1, "{name}");
    }
    let server = FaultServer::start([service_error(400, "ConditionalCheckFailedException")]).await;
    let touch = Touch { id: "a", expires: 9, now: 1, ..Touch::default() };
    assert_eq!(
        store(&server.endpoint, json!({})).touch(touch, CallOptions::default(), &mut trace()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn attempts_and_operations_have_time_limits() {
    let bounds = json!({ "attemptTimeout": 100, "timeout": 1000 });
    let server = FaultServer::start([Reaction::Hang, empty()]).await;
    let mut trace = trace();
    store(&server.endpoint, bounds.clone()).set(ITEM, CallOptions::default(), &mut trace).await.unwrap();
    assert_eq!(trace.attempts, 2);

    let server = FaultServer::start([Reaction::Hang, Reaction::Hang, Reaction::Hang]).await;
    let error = store(&server.endpoint, bounds)
        .set(ITEM, CallOptions::default(), &mut support::trace())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(error.message.contains("100ms"), "{error}");

    let server = FaultServer::start([Reaction::Hang]).await;
    let start = Instant::now();
    let bounds = json!({ "attemptTimeout": 5000, "timeout": 200 });
    let error = store(&server.endpoint, bounds)
        .set(ITEM, CallOptions::default(), &mut support::trace())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn only_a_write_that_the_deadline_cuts_off_while_it_is_sent_may_be_done() {
    let server = FaultServer::start([Reaction::Hang]).await;
    let bounds = json!({ "attemptTimeout": 5000, "timeout": 200, "maxConnections": 1 });
    let store = store(&server.endpoint, bounds);
    let (mut sent, mut waiting) = (trace(), trace());
    let (first, second) = tokio::join!(
        store.set(ITEM, CallOptions::default(), &mut sent),
        store.set(ITEM, CallOptions::default(), &mut waiting),
    );
    for outcome in [first, second] {
        assert_eq!(outcome.unwrap_err().kind, Kind::Timeout);
    }
    assert_eq!((sent.attempts, sent.may_be_done), (1, true));
    assert_eq!((waiting.attempts, waiting.may_be_done), (0, false));
}

#[tokio::test]
async fn a_closed_kept_connection_does_not_count_toward_max_attempts() {
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({ "maxAttempts": 1 }));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    server.push(Reaction::Close);
    let mut trace = trace();
    store.set(ITEM, CallOptions::default(), &mut trace).await.unwrap();
    assert_eq!(trace.attempts, 2);
    let connections: Vec<_> = server.requests().into_iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[tokio::test]
async fn max_connections_is_never_exceeded() {
    let delay = || Reaction::RespondAfter(Duration::from_millis(20));
    let server = FaultServer::start(std::iter::repeat_with(delay).take(12)).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 3 }));
    futures_util::future::try_join_all(
        (0..12).map(async |_| store.set(ITEM, CallOptions::default(), &mut trace()).await),
    )
    .await
    .unwrap();
    let connections = server.requests().into_iter().map(|request| request.connection).max();
    assert_eq!((server.requests().len(), connections), (12, Some(2)));
}

#[tokio::test]
async fn waiting_for_a_connection_does_not_count_toward_the_attempt_timeout() {
    let delay = || Reaction::RespondAfter(Duration::from_millis(40));
    let server = FaultServer::start(std::iter::repeat_with(delay).take(6)).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 1, "attemptTimeout": 120 }));
    let attempts = futures_util::future::join_all((0..6).map(async |_| {
        let mut trace = trace();
        store.set(ITEM, CallOptions::default(), &mut trace).await.unwrap();
        trace.attempts
    }));
    assert_eq!(attempts.await, [1; 6]);
}

#[tokio::test]
async fn signatures_use_the_clock_of_the_service() {
    let date = "Tue, 14 Nov 2023 22:13:20 GMT";
    let skewed = Reaction::Respond {
        status: 400,
        headers: vec![("date", date.into())],
        body: r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"expired"}"#.into(),
    };
    let server = FaultServer::start([skewed.clone(), empty(), empty(), skewed.clone()]).await;
    let store = store(&server.endpoint, json!({}));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    let requests = server.requests();
    assert!(!requests[0].header("x-amz-date").unwrap().starts_with("20231114"));
    for corrected in &requests[1..] {
        assert!(corrected.header("x-amz-date").unwrap().starts_with("20231114T2213"), "{corrected:?}");
    }
    // A signature that is wrong for a different reason is not signed again.
    let error = store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap_err();
    assert!(error.is_service("InvalidSignatureException"));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn rejected_credentials_are_fetched_once_more() {
    let rejected = || service_error(400, "ExpiredTokenException");
    let renewable = || json!({ "credentialsMayChange": true });
    let server = FaultServer::start([rejected(), empty()]).await;
    store(&server.endpoint, renewable()).set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();

    for (changes, attempts) in [(renewable(), 2), (json!({}), 1)] {
        let server = FaultServer::start([rejected(), rejected(), empty()]).await;
        let error = store(&server.endpoint, changes)
            .set(ITEM, CallOptions::default(), &mut trace())
            .await
            .unwrap_err();
        assert!(error.is_service("ExpiredTokenException"));
        assert_eq!((server.requests().len(), error.is_permanent), (attempts, attempts == 1));
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_connections_is_an_error_with_its_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut trace = trace();
    let error =
        store(&endpoint, json!({})).get("a", 0, CallOptions::default(), &mut trace).await.unwrap_err();
    assert_eq!((error.kind.clone(), trace.attempts), (Kind::Network, 3));
    assert!(error.causes().unwrap().contains("refused"), "{error:?}");
}

#[tokio::test]
async fn a_response_that_is_too_large_is_an_error() {
    let giant = "x".repeat(17 * 1024 * 1024);
    let server = FaultServer::start([response(200, &giant)]).await;
    let error = store(&server.endpoint, json!({ "maxAttempts": 1 }))
        .get("a", 0, CallOptions::default(), &mut trace())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Network);
    assert!(error.message.contains("16 MB"), "{error}");
}

#[tokio::test]
async fn the_retry_budget_limits_the_load_on_a_failing_service() {
    let server = FaultServer::start(std::iter::repeat_with(|| response(500, "")).take(2000)).await;
    let store = store(&server.endpoint, json!({}));
    let operations = 200;
    for batch in 0..operations / 50 {
        let calls = (0..50).map(async |_| store.set(ITEM, CallOptions::default(), &mut trace()).await);
        let failed = futures_util::future::join_all(calls).await;
        assert!(failed.iter().all(Result::is_err), "batch {batch}");
    }
    // 500 tokens, and 5 for each retry.
    assert_eq!(server.requests().len(), operations + 100);
}

#[tokio::test]
async fn unprocessed_deletions_are_retried() {
    let key = |id: &str| json!({ "id": { "S": id } });
    let unprocessed =
        json!({ "UnprocessedItems": { "sessions": [{ "DeleteRequest": { "Key": key("sess:b") } }] } });
    let server = FaultServer::start([
        response(200, &json!({ "Count": 2, "Items": [key("sess:a"), key("sess:b")] }).to_string()),
        response(200, &unprocessed.to_string()),
        response(200, r#"{"UnprocessedItems":{}}"#),
    ])
    .await;
    store(&server.endpoint, json!({})).clear().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[1].body.contains("sess:a") && requests[1].body.contains("sess:b"));
    assert!(
        !requests[2].body.contains("sess:a") && requests[2].body.contains("sess:b"),
        "{}",
        requests[2].body
    );
}

#[tokio::test]
async fn an_error_names_the_request_that_failed() {
    let table = r#"{"Table":{"TableStatus":"ACTIVE"}}"#;
    let missing = || service_error(400, "ResourceNotFoundException");
    let unknown = || service_error(400, "UnknownOperationException");
    let server = FaultServer::start([missing(), response(200, "{}"), response(200, table), unknown()]).await;
    let error = store(&server.endpoint, json!({})).create_table(&support::ON_DEMAND).await.unwrap_err();
    assert_eq!(error.operation, Some("UpdateTimeToLive"));
    let server = FaultServer::start([service_error(400, "AccessDeniedException")]).await;
    let error = store(&server.endpoint, json!({})).clear().await.unwrap_err();
    assert_eq!(error.operation, Some("Scan"));
}

#[tokio::test]
async fn concurrent_operations_all_recover_from_a_wrong_clock() {
    let skewed = || Reaction::Respond {
        status: 400,
        headers: vec![("date", "Tue, 14 Nov 2023 22:13:20 GMT".into())],
        body: r#"{"__type":"com.amazon.coral.service#RequestTimeTooSkewed","message":"skewed"}"#.into(),
    };
    let server = FaultServer::start(std::iter::repeat_with(skewed).take(10)).await;
    let store = store(&server.endpoint, json!({}));
    let calls = (0..10).map(async |_| store.set(ITEM, CallOptions::default(), &mut trace()).await);
    futures_util::future::try_join_all(calls).await.unwrap();
}

#[tokio::test]
async fn both_reads_of_an_operation_share_its_time_limit() {
    let delay = || Reaction::RespondAfter(Duration::from_millis(300));
    let server = FaultServer::start([delay(), delay()]).await;
    let store = store(&server.endpoint, json!({ "consistentRead": "on-miss", "timeout": 450 }));
    let error = store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
}

#[tokio::test]
async fn a_table_that_is_being_deleted_is_created_once_it_is_gone() {
    let missing = || service_error(400, "ResourceNotFoundException");
    let status = |status: &str| response(200, &json!({ "Table": { "TableStatus": status } }).to_string());
    let server = FaultServer::start([
        missing(),
        status("DELETING"),
        missing(),
        empty(),
        status("CREATING"),
        status("ACTIVE"),
        service_error(400, "AccessDeniedException"),
    ])
    .await;
    let store = store(&server.endpoint, json!({ "createTable": { "timeToLive": true } }));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    let targets: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.header("x-amz-target").unwrap().split('.').nth(1).unwrap().to_owned())
        .collect();
    let describe = "DescribeTable";
    let expected =
        ["PutItem", describe, describe, "CreateTable", describe, describe, "UpdateTimeToLive", "PutItem"];
    assert_eq!(targets, expected);
    let warning = store.take_warning().unwrap();
    assert_eq!((warning.operation, warning.kind.code()), (Some("UpdateTimeToLive"), "AccessDeniedException"));
}

#[tokio::test]
async fn a_read_that_creates_the_table_has_its_full_time_afterward() {
    let missing = || service_error(400, "ResourceNotFoundException");
    let status = |status: &str| response(200, &json!({ "Table": { "TableStatus": status } }).to_string());
    let mut reactions = vec![missing(), missing(), empty()];
    // The pauses between these take longer than the time limit of the read.
    reactions.extend(std::iter::repeat_with(|| status("CREATING")).take(5));
    reactions.push(status("ACTIVE"));
    let server = FaultServer::start(reactions).await;
    let changes =
        json!({ "consistentRead": "on-miss", "timeout": 500, "createTable": { "timeToLive": false } });
    let found = store(&server.endpoint, changes).get("a", 0, CallOptions::default(), &mut trace()).await;
    assert_eq!(found.unwrap(), Found::Missing);
    assert_eq!(server.requests().len(), 11);
}

/// Panics once, and then returns credentials.
#[derive(Debug, Default)]
struct Panicking(AtomicBool);

impl ProvideCredentials for Panicking {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let has_panicked = self.0.swap(true, Ordering::Relaxed);
        future::ProvideCredentials::new(async move {
            assert!(has_panicked, "expected by this test");
            Ok(Credentials::new("local", "local", None, None, "test"))
        })
    }
}

#[tokio::test]
async fn a_panic_in_the_credentials_provider_fails_only_its_own_operation() {
    let server = FaultServer::start([]).await;
    let provider = SharedCredentialsProvider::new(Panicking::default());
    let store = Store::new(support::config(&server.endpoint, json!({})), Some(provider));
    let get = async || runtime::guard(store.get("a", 0, CallOptions::default(), &mut trace())).await;
    assert_eq!(get().await.unwrap_err().kind, Kind::Internal);
    assert_eq!(get().await.unwrap(), Found::Missing);
}
