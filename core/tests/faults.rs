//! The data plane against a server that fails on demand.

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
use support::{Act, FaultServer, answer, empty, service_error, store, trace};

const ITEM: NewItem<'_> = NewItem { key: "sess:a", session: "{}", expires: Some(9), attributes: None };

#[tokio::test]
async fn what_passes_is_tried_again() {
    for act in [
        service_error(400, "ProvisionedThroughputExceededException"),
        service_error(400, "ThrottlingException"),
        service_error(400, "RequestLimitExceeded"),
        service_error(500, "InternalServerError"),
        answer(502, "<html>"),
        answer(503, ""),
        answer(200, "no json"),
        Act::Answer { status: 200, headers: vec![("x-amz-crc32", "1".into())], body: "{}".into() },
        Act::Cut,
        Act::CutInBody,
    ] {
        let server = FaultServer::start([act.clone(), act.clone(), empty()]).await;
        let mut trace = trace();
        store(&server.endpoint, json!({}))
            .set(ITEM, CallOptions::default(), &mut trace)
            .await
            .unwrap_or_else(|error| panic!("{act:?}: {error}"));
        assert_eq!(trace.attempts, 3, "{act:?}");
    }
}

#[tokio::test]
async fn the_last_error_surfaces_with_its_attempts() {
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
async fn what_does_not_pass_is_not_tried_again() {
    for name in ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"] {
        let server = FaultServer::start([service_error(400, name)]).await;
        let error = store(&server.endpoint, json!({}))
            .set(ITEM, CallOptions::default(), &mut trace())
            .await
            .unwrap_err();
        assert!(error.is_service(name));
        assert_eq!(server.seen().len(), 1, "{name}");
    }
    let server = FaultServer::start([service_error(400, "ConditionalCheckFailedException")]).await;
    let touch = Touch { key: "sess:a", expires: 9, now: 1, keeps_later: false, stamp: None };
    assert_eq!(
        store(&server.endpoint, json!({})).touch(touch, CallOptions::default(), &mut trace()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn attempts_and_operations_are_bounded_in_time() {
    let bounds = json!({ "attemptTimeout": 100, "timeout": 1000 });
    let server = FaultServer::start([Act::Hang, empty()]).await;
    let mut trace = trace();
    store(&server.endpoint, bounds.clone()).set(ITEM, CallOptions::default(), &mut trace).await.unwrap();
    assert_eq!(trace.attempts, 2);

    let server = FaultServer::start([Act::Hang, Act::Hang, Act::Hang]).await;
    let error = store(&server.endpoint, bounds)
        .set(ITEM, CallOptions::default(), &mut support::trace())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(error.message.contains("100ms"), "{error}");

    let server = FaultServer::start([Act::Hang]).await;
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
async fn a_closed_kept_connection_costs_no_attempt_of_the_maximum() {
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({ "maxAttempts": 1 }));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    server.push(Act::Cut);
    let mut trace = trace();
    store.set(ITEM, CallOptions::default(), &mut trace).await.unwrap();
    assert_eq!(trace.attempts, 2);
    let connections: Vec<_> = server.seen().into_iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let delay = || Act::Delayed(Duration::from_millis(20));
    let server = FaultServer::start(std::iter::repeat_with(delay).take(12)).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 3 }));
    futures_util::future::try_join_all(
        (0..12).map(async |_| store.set(ITEM, CallOptions::default(), &mut trace()).await),
    )
    .await
    .unwrap();
    let connections = server.seen().into_iter().map(|seen| seen.connection).max();
    assert_eq!((server.seen().len(), connections), (12, Some(2)));
}

#[tokio::test]
async fn waiting_for_a_connection_is_no_part_of_an_attempt() {
    let delay = || Act::Delayed(Duration::from_millis(40));
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
async fn the_clock_is_set_by_the_service() {
    let date = "Tue, 14 Nov 2023 22:13:20 GMT";
    let skewed = Act::Answer {
        status: 400,
        headers: vec![("date", date.into())],
        body: r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"expired"}"#.into(),
    };
    let server = FaultServer::start([skewed.clone(), empty(), empty(), skewed.clone()]).await;
    let store = store(&server.endpoint, json!({}));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    let seen = server.seen();
    assert!(!seen[0].header("x-amz-date").unwrap().starts_with("20231114"));
    for corrected in &seen[1..] {
        assert!(corrected.header("x-amz-date").unwrap().starts_with("20231114T2213"), "{corrected:?}");
    }
    // A signature that is wrong for another reason is not signed again.
    let error = store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap_err();
    assert!(error.is_service("InvalidSignatureException"));
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn refused_credentials_are_fetched_once_more() {
    let refused = || service_error(400, "ExpiredTokenException");
    let renewable = || json!({ "credentialsMayChange": true });
    let server = FaultServer::start([refused(), empty()]).await;
    store(&server.endpoint, renewable()).set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();

    for (changes, attempts) in [(renewable(), 2), (json!({}), 1)] {
        let server = FaultServer::start([refused(), refused(), empty()]).await;
        let error = store(&server.endpoint, changes)
            .set(ITEM, CallOptions::default(), &mut trace())
            .await
            .unwrap_err();
        assert!(error.is_service("ExpiredTokenException"));
        assert_eq!((server.seen().len(), error.is_permanent), (attempts, attempts == 1));
    }
}

#[tokio::test]
async fn a_dead_endpoint_is_told_with_its_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut trace = trace();
    let error =
        store(&endpoint, json!({})).get("sess:a", 0, CallOptions::default(), &mut trace).await.unwrap_err();
    assert_eq!((error.kind.clone(), trace.attempts), (Kind::Network, 3));
    assert!(error.causes().unwrap().contains("refused"), "{error:?}");
}

#[tokio::test]
async fn a_response_without_end_is_not_kept_in_memory() {
    let giant = "x".repeat(17 * 1024 * 1024);
    let server = FaultServer::start([answer(200, &giant)]).await;
    let error = store(&server.endpoint, json!({ "maxAttempts": 1 }))
        .get("sess:a", 0, CallOptions::default(), &mut trace())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Network);
    assert!(error.message.contains("16 MB"), "{error}");
}

#[tokio::test]
async fn a_table_that_stays_down_is_not_asked_three_times_as_much() {
    let server = FaultServer::start(std::iter::repeat_with(|| answer(500, "")).take(2000)).await;
    let store = store(&server.endpoint, json!({}));
    let operations = 200;
    for batch in 0..operations / 50 {
        let calls = (0..50).map(async |_| store.set(ITEM, CallOptions::default(), &mut trace()).await);
        let failed = futures_util::future::join_all(calls).await;
        assert!(failed.iter().all(Result::is_err), "batch {batch}");
    }
    // 500 tokens at 5 a repetition.
    assert_eq!(server.seen().len(), operations + 100);
}

#[tokio::test]
async fn unprocessed_deletions_are_sent_again() {
    let key = |id: &str| json!({ "id": { "S": id } });
    let unprocessed =
        json!({ "UnprocessedItems": { "sessions": [{ "DeleteRequest": { "Key": key("sess:b") } }] } });
    let server = FaultServer::start([
        answer(200, &json!({ "Count": 2, "Items": [key("sess:a"), key("sess:b")] }).to_string()),
        answer(200, &unprocessed.to_string()),
        answer(200, r#"{"UnprocessedItems":{}}"#),
    ])
    .await;
    store(&server.endpoint, json!({})).clear().await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[1].body.contains("sess:a") && seen[1].body.contains("sess:b"));
    assert!(!seen[2].body.contains("sess:a") && seen[2].body.contains("sess:b"), "{}", seen[2].body);
}

#[tokio::test]
async fn a_failure_names_the_request_that_failed() {
    let table = r#"{"Table":{"TableStatus":"ACTIVE"}}"#;
    let missing = || service_error(400, "ResourceNotFoundException");
    let unknown = || service_error(400, "UnknownOperationException");
    let server = FaultServer::start([missing(), answer(200, "{}"), answer(200, table), unknown()]).await;
    let error = store(&server.endpoint, json!({})).create_table(&support::ON_DEMAND).await.unwrap_err();
    assert_eq!(error.operation, Some("UpdateTimeToLive"));
    let server = FaultServer::start([service_error(400, "AccessDeniedException")]).await;
    let error = store(&server.endpoint, json!({})).clear().await.unwrap_err();
    assert_eq!(error.operation, Some("Scan"));
}

#[tokio::test]
async fn operations_under_way_when_the_clock_is_found_wrong_are_signed_again_too() {
    let skewed = || Act::Answer {
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
async fn two_reads_of_an_operation_share_its_time() {
    let delay = || Act::Delayed(Duration::from_millis(300));
    let server = FaultServer::start([delay(), delay()]).await;
    let store = store(&server.endpoint, json!({ "consistentRead": "on-miss", "timeout": 450 }));
    let error = store.get("sess:a", 0, CallOptions::default(), &mut trace()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
}

#[tokio::test]
async fn a_table_that_is_being_deleted_is_created_when_it_is_gone() {
    let missing = || service_error(400, "ResourceNotFoundException");
    let status = |status: &str| answer(200, &json!({ "Table": { "TableStatus": status } }).to_string());
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
        .seen()
        .iter()
        .map(|seen| seen.header("x-amz-target").unwrap().split('.').nth(1).unwrap().to_owned())
        .collect();
    let describe = "DescribeTable";
    let expected =
        ["PutItem", describe, describe, "CreateTable", describe, describe, "UpdateTimeToLive", "PutItem"];
    assert_eq!(targets, expected);
    let warning = store.take_warning().unwrap();
    assert_eq!((warning.operation, warning.kind.code()), (Some("UpdateTimeToLive"), "AccessDeniedException"));
}

/// Panics once, and then gives credentials.
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
async fn a_panic_of_the_credentials_provider_fails_its_operation_and_no_later_one() {
    let server = FaultServer::start([]).await;
    let provider = SharedCredentialsProvider::new(Panicking::default());
    let store = Store::new(support::config(&server.endpoint, json!({})), Some(provider));
    let get = async || runtime::guard(store.get("sess:a", 0, CallOptions::default(), &mut trace())).await;
    assert_eq!(get().await.unwrap_err().kind, Kind::Internal);
    assert_eq!(get().await.unwrap(), Found::Missing);
}
