//! All that elapses goes by the clock of tokio, which tests can stop.

use std::time::Duration;
use tokio::time::{Instant, advance, sleep};
use trunkline::{
    Caller, Calls, Ended, FaultKind, Identity, InProcess, Limits, Router, Server,
    access::Access,
    handler,
    testing::{TestServer, Wire},
};

const HOUR: Duration = Duration::from_secs(3600);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limited(limits: Limits) -> TestServer {
    let router = Router::new()
        .procedure("ping", async || "pong")
        .procedure("stuck", std::future::pending::<()>)
        .procedure("hurried", handler(std::future::pending::<()>).timeout(seconds(7)))
        .procedure("late", async || sleep(seconds(20)).await);
    TestServer::new(Server::new(router).limits(limits))
}

#[tokio::test(start_paused = true)]
async fn deadlines_of_both_sides() {
    let server = limited(Limits::default().call_timeout(seconds(11)));
    let client = server.builder().call_timeout(seconds(13)).connect().await.unwrap();
    for (procedure, timeout, expected) in
        [("hurried", None, 7), ("late", None, 11), ("stuck", None, 11), ("stuck", Some(3), 3)]
    {
        let begun = Instant::now();
        let call = client.call::<()>(procedure, ());
        let answer = match timeout {
            Some(timeout) => call.timeout(seconds(timeout)).await,
            None => call.await,
        };
        assert_eq!(answer.unwrap_err().kind(), FaultKind::DeadlineExceeded, "{procedure}");
        assert_eq!(begun.elapsed().as_secs(), expected, "{procedure}");
    }
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_silent_and_messages_that_are_slow() {
    let server = limited(Limits::default().idle_timeout(HOUR).message_timeout(seconds(9)));
    let begun = Instant::now();
    assert!(matches!(Wire::to(&server).ended().await, Ended::Idle));
    // the far side has a second to hang up, which it does not do
    assert_eq!(begun.elapsed().as_secs(), 3601);
    let mut wire = Wire::to(&server);
    wire.send("{").await;
    let begun = Instant::now();
    assert!(matches!(wire.ended().await, Ended::SlowMessage));
    assert_eq!(begun.elapsed().as_secs(), 10);
}

/// Both sides have half as long as it takes to be given up.
#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_connection() {
    for keepalive in [None, Some(seconds(5))] {
        let server = limited(Limits::default().idle_timeout(seconds(20)));
        let client = server.websocket().keepalive(keepalive).connect().await.unwrap();
        let before = client.server().unwrap();
        sleep(HOUR).await;
        assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
        assert_eq!(client.server().unwrap(), before, "{keepalive:?}: it is the same connection");
    }
}

#[cfg(feature = "rate-limit")]
#[tokio::test(start_paused = true)]
async fn rate_limits() {
    let limit = trunkline::access::RateLimit::new(2, seconds(60));
    let ping = handler(async || "pong").guard(limit.guard());
    let client = TestServer::new(Router::new().procedure("ping", ping)).client();
    for allowed in [true, true, false] {
        assert_eq!(client.call::<String>("ping", ()).await.is_ok(), allowed);
    }
    advance(seconds(30)).await;
    for allowed in [true, false] {
        assert_eq!(client.call::<String>("ping", ()).await.is_ok(), allowed);
    }
}

/// Also as the session tells it.
#[tokio::test(start_paused = true)]
async fn identities() {
    let access = Access::new()
        .bearer(async |_| Ok(Identity::new("ada").until((Instant::now() + seconds(60)).into_std())));
    let router = Router::new().procedure("ping", async || "pong");
    let server = TestServer::new(Server::new(router).security(access));
    let client = server.builder().bearer("lovelace").connect().await.unwrap();
    let session = server.peers().all()[0].session();
    for (wait, known) in [(59, true), (1, false)] {
        advance(seconds(wait)).await;
        assert_eq!(client.call::<String>("ping", ()).await.is_ok(), known, "after {wait} s more");
        assert_eq!(session.identity().is_anonymous(), !known, "after {wait} s more");
    }
}

/// However long the test has been running by its own clock.
#[tokio::test(start_paused = true)]
async fn what_is_left_of_the_time_of_a_call() {
    let left =
        handler(async |caller: Caller| caller.time_left().map(|left| left.as_secs())).timeout(seconds(10));
    let router = Router::new().procedure("left", left);
    advance(HOUR).await;
    let here = InProcess::new(router.clone());
    assert_eq!(here.call::<u64>("left", (), None).await.unwrap(), 10);
    let server = TestServer::new(Server::new(router.clone()).peers_by_name());
    let client = server.builder().name("ada").for_peers(router).connect().await.unwrap();
    assert_eq!(client.call::<u64>("left", ()).await.unwrap(), 10);
    assert_eq!(client.peer("ada").call::<u64>("left", ()).await.unwrap(), 10);
}

/// Sleeping on a clock that stands still waits until there is nothing else to do.
#[tokio::test(start_paused = true)]
async fn sleeping_lets_everybody_else_finish() {
    let client = limited(Limits::default()).client();
    let calling = tokio::spawn(async move { client.call::<String>("ping", ()).await });
    sleep(Duration::from_millis(1)).await;
    assert!(calling.is_finished());
}
