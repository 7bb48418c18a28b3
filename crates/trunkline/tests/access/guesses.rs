//! How often callers may fail to show who they are, and what else they may show.

use crate::{
    support::{Wire, code},
    world::{access, ask, login, router, service, shut},
};
use ::http::{Extensions, HeaderMap};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::advance};
use trunkline::{
    Connection, Credentials, Fault, FaultKind, Identity, Limits, Link, Security,
    access::{Access, RateLimit},
    framing::Lines,
    security::unauthenticated,
};

const UNAUTHENTICATED: i64 = -32002;
const RATE_LIMITED: i64 = -32005;

fn from(address: &str) -> Connection {
    let address: SocketAddr = address.parse().unwrap();
    Connection::new("tcp", "none").with_remote(Some(address))
}

fn headers(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().unwrap());
    headers
}

/// What becomes of a request with these headers.
async fn shows(access: &Access, headers: &HeaderMap, on: &Connection) -> Result<Identity, Fault> {
    let credentials = Credentials::Request { headers, extensions: &Extensions::new() };
    access.authenticate(credentials, on).await
}

async fn kind(access: &Access, token: &str, on: &Connection) -> Option<FaultKind> {
    let headers = headers("authorization", &format!("Bearer {token}"));
    shows(access, &headers, on).await.err().map(|fault| fault.kind())
}

#[tokio::test(start_paused = true)]
async fn an_address_has_so_many_guesses_over_whatever_it_comes() {
    let access = access(&shut()).logins(RateLimit::new(5, Duration::from_secs(50)));
    let (here, there) = (from("10.0.0.1:1"), from("10.0.0.2:1"));
    for _ in 0..3 {
        assert_eq!(kind(&access, "eve", &here).await, Some(FaultKind::Unauthenticated));
    }
    // the same address, another connection: what is right uses nothing up
    for _ in 0..9 {
        assert_eq!(kind(&access, "ada", &from("10.0.0.1:2")).await, None);
    }
    let link = {
        let (near, far) = tokio::io::duplex(64 << 10);
        (near, Link::new(far, Lines::default(), from("10.0.0.1:3")))
    };
    let served = service(access.clone());
    tokio::spawn(async move { trunkline::serve(link.1, &served).await });
    let mut wire = Wire::over(link.0);
    for expected in [UNAUTHENTICATED, UNAUTHENTICATED, RATE_LIMITED] {
        assert_eq!(code(&wire.ask(login(1, "eve")).await), expected);
    }
    assert_eq!(kind(&access, "ada", &here).await, Some(FaultKind::RateLimited), "that would tell");
    assert!(shows(&access, &HeaderMap::new(), &here).await.unwrap().is_anonymous());
    assert_eq!(kind(&access, "ada", &there).await, None);
    advance(Duration::from_secs(10)).await;
    assert_eq!(kind(&access, "ada", &here).await, None);
}

/// Guesses that are made at the same time.
#[tokio::test(start_paused = true)]
async fn no_more_is_told_of_guesses_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let access = access(&gate).logins(RateLimit::new(5, Duration::from_secs(50)));
    let here = from("10.0.0.1:1");
    let names: Vec<String> =
        (0..50).map(|at| if at == 40 { "slow-ada".into() } else { "slow-eve".into() }).collect();
    let guesses = names.iter().map(|name| kind(&access, name, &here));
    let mut guesses = Box::pin(futures_util::future::join_all(guesses));
    assert!(futures_util::poll!(&mut guesses).is_pending(), "all are being looked at");
    gate.add_permits(50);
    let kinds = guesses.await;
    assert!(kinds[..5].iter().all(|kind| *kind == Some(FaultKind::Unauthenticated)), "{kinds:?}");
    assert!(kinds[5..].iter().all(|kind| *kind == Some(FaultKind::RateLimited)), "{kinds:?}");
}

/// Trouble of the server's own is nobody's guess.
#[tokio::test(start_paused = true)]
async fn what_fails_for_other_reasons_counts_for_nothing() {
    let access = Access::new()
        .bearer(async |_| Err(Fault::new(FaultKind::Unavailable, "the database is away")))
        .logins(RateLimit::new(1, Duration::from_secs(50)));
    for _ in 0..5 {
        assert_eq!(kind(&access, "ada", &from("10.0.0.1:1")).await, Some(FaultKind::Unavailable));
    }
}

#[tokio::test]
async fn tokens_of_any_length_are_not_verified() {
    let access = Access::new().bearer(async |_| Ok(Identity::new("ada")));
    let here = from("10.0.0.1:1");
    assert_eq!(kind(&access, &"a".repeat(8 << 10), &here).await, None);
    assert_eq!(kind(&access, &"a".repeat((8 << 10) + 1), &here).await, Some(FaultKind::Unauthenticated));
}

/// Tokens, and keys in a header of their own.
#[tokio::test]
async fn callers_may_be_known_in_several_ways() {
    let by_key = |credentials: Credentials<'_>, _: &Connection| {
        let key = match credentials {
            Credentials::Request { headers, .. } => headers.get("x-api-key").cloned(),
            _ => None,
        };
        async move {
            match key.as_ref().map(|key| key.as_bytes()) {
                None => Ok(None),
                Some(b"k") => Ok(Some(Identity::new("a program"))),
                Some(_) => Err(unauthenticated("the key is not known")),
            }
        }
    };
    let other = async |token: String| match &*token {
        "charles" => Ok(Identity::new("charles")),
        "down" => Err(Fault::new(FaultKind::Unavailable, "away")),
        _ => Err(unauthenticated("nor this")),
    };
    let access = access(&shut()).credentials(by_key).bearer(other);
    let here = from("10.0.0.1:1");
    for (headers, expected) in [
        (headers("x-api-key", "k"), Ok(Some("a program"))),
        (headers("x-api-key", "guess"), Err("the key is not known")),
        (headers("authorization", "Bearer ada"), Ok(Some("ada"))),
        (headers("authorization", "Bearer charles"), Ok(Some("charles"))),
        (headers("authorization", "Bearer down"), Err("away")),
        (headers("authorization", "Bearer eve"), Err("the token is not known")),
        (headers("authorization", "Basic YTpi"), Err("these are no credentials that are known here")),
        (HeaderMap::new(), Ok(None)),
    ] {
        let found = shows(&access, &headers, &here).await;
        let found = found.as_ref().map(Identity::subject).map_err(Fault::message);
        assert_eq!(found, expected, "{headers:?}");
    }
    let mut wire = Wire::to(service(access));
    assert_eq!(wire.ask(login(1, "charles")).await["result"], json!({"subject": "charles"}));
}

/// Groups are for those who are in them, unless that is said not to be so.
#[tokio::test]
async fn groups_count_by_themselves() {
    let reset = r#"{"jsonrpc":"2.0","id":1,"method":"reset"}"#;
    struct Defaults;
    impl Security for Defaults {}
    for closed in [service(Access::new()), service(Defaults)] {
        assert_eq!(code(&Wire::to(closed).ask(reset).await), UNAUTHENTICATED);
    }
    assert_eq!(Wire::to(service(Access::new().ignore_groups())).ask(reset).await["result"], "done");
    let open = trunkline::Service::new(router(&shut()), trunkline::JsonRpc::default());
    assert_eq!(Wire::to(open.limits(Limits::default())).ask(reset).await["result"], "done");
    let hidden = Access::new().rule(|_, _| Err(Fault::new(FaultKind::NotFound, "Method not found")));
    assert_eq!(code(&Wire::to(service(hidden)).ask(reset).await), -32601);
    assert_eq!(Wire::to(service(Access::new())).ask(ask(1)).await["result"], "nobody");
}

#[test]
#[should_panic(expected = "which has more than visible ASCII")]
fn a_challenge_is_a_header() {
    struct Cafe;
    impl Security for Cafe {
        fn challenge(&self) -> &'static str {
            "Bearer realm=\"caf\u{e9}\""
        }
    }
    let _ = service(Cafe);
}

#[tokio::test(start_paused = true)]
async fn those_behind_a_trusted_proxy_have_guesses_of_their_own() {
    let limit = RateLimit::new(1, Duration::from_secs(50));
    let access = access(&shut()).logins(limit);
    let by = |proxy: &str, client: &str| {
        let connection = from(proxy).trust_proxies(&["10.0.0.9".parse().unwrap()]);
        connection.with_request("/".parse().unwrap(), headers("x-real-ip", client))
    };
    let eve = by("10.0.0.9:1", "203.0.113.7");
    assert_eq!(kind(&access, "eve", &eve).await, Some(FaultKind::Unauthenticated));
    assert_eq!(kind(&access, "ada", &eve).await, Some(FaultKind::RateLimited));
    assert_eq!(kind(&access, "ada", &by("10.0.0.9:2", "203.0.113.8")).await, None);
    // as a proxy says it that listens for both kinds of addresses
    let mapped = by("[::ffff:10.0.0.9]:2", "::ffff:203.0.113.7");
    assert_eq!(kind(&access, "ada", &mapped).await, Some(FaultKind::RateLimited));
    assert_eq!(kind(&access, "ada", &by("10.0.0.9:2", "::ffff:203.0.113.9")).await, None);
    // others are not believed
    assert_eq!(
        kind(&access, "eve", &by("10.0.0.1:1", "203.0.113.1")).await,
        Some(FaultKind::Unauthenticated)
    );
    assert_eq!(kind(&access, "ada", &by("10.0.0.1:1", "203.0.113.2")).await, Some(FaultKind::RateLimited));
    // and who names nobody speaks for itself
    assert_eq!(kind(&access, "eve", &by("10.0.0.9:3", "x")).await, Some(FaultKind::Unauthenticated));
    assert_eq!(kind(&access, "ada", &by("10.0.0.9:4", "")).await, Some(FaultKind::RateLimited));
}
