//! Calls that another server answers.

use crate::world::{Handler, Net, World, gateway, gateway_of};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;
use trunkline::{Caller, Fault, FaultKind, Identity, RawArgs, Router};

pub(crate) async fn each_call_runs_once_and_both_handlers_have_some<W: World>() {
    let (net, ran) = (W::any().await.net(), Arc::new(Mutex::new(Vec::new())));
    let work = |name: &'static str| {
        let ran = ran.clone();
        Router::new().procedure("work", move |token: u64| {
            ran.lock().unwrap().push((token, name));
            async move { token }
        })
    };
    let _one = Handler::start(&net, work("one")).await;
    let _two = Handler::start(&net, work("two")).await;
    let client = gateway(&net, Router::new());
    let answers = join_all((0..20).map(|token: u64| client.call::<u64>("work", token))).await;
    let answers: Result<Vec<_>, _> = answers.into_iter().collect();
    assert_eq!(answers.unwrap(), (0..20).collect::<Vec<_>>());
    let mut ran = ran.lock().unwrap().clone();
    ran.sort_unstable();
    assert_eq!(ran.iter().map(|(token, _)| *token).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    for name in ["one", "two"] {
        assert!(ran.iter().any(|(_, who)| *who == name), "{ran:?}");
    }
}

pub(crate) async fn what_nobody_has_does_not_exist<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, Router::new().procedure("math.add", async || 1)).await;
    let other = Handler::start(&net, Router::new().procedure("gone", async || 1)).await;
    let client = gateway(&net, Router::new());
    assert_eq!(client.call::<u8>("gone", ()).await, Ok(1));
    other.stop().await;
    let long = "x".repeat(300);
    for name in ["gone", "math.sub", "math.add@2", "", ".", "rpc.discover", "rpc.authenticate", &long] {
        let fault = client.call::<Value>(name, ()).await.unwrap_err();
        assert_eq!((fault.kind(), fault.message()), (FaultKind::NotFound, "Method not found"), "{name}");
    }
    assert_eq!(client.call::<u8>("math.add", ()).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_is_said_at_once() {
    let (net, since) = (Net::new(), Instant::now());
    let fault = gateway(&net, Router::new()).call::<Value>("gone", ()).await.unwrap_err();
    assert_eq!((fault.kind(), since.elapsed()), (FaultKind::NotFound, std::time::Duration::ZERO));
}

pub(crate) async fn what_is_said_arrives_as_it_was_said<W: World>() {
    let net = W::any().await.net();
    let fail = async || Err::<(), _>(Fault::from("no").with_code(42).with_data([1.5]));
    let router = Router::new()
        .procedure("echo", async |args: RawArgs| args.0)
        .procedure("fail", fail)
        .procedure("panic", async || -> u8 { panic!("secret") })
        .procedure("nothing", async || ());
    let _handler = Handler::start(&net, router).await;
    let client = gateway(&net, Router::new());
    let args = json!({"a": [1, 2.50, "ü\n\"", null], "b": {"deep": {}}});
    assert_eq!(client.call::<Value>("echo", &args).await, Ok(args));
    let fault = client.call::<()>("fail", ()).await.unwrap_err();
    assert_eq!((fault.code(), fault.message(), fault.raw_data()), (Some(42), "no", Some("[1.5]")));
    let fault = client.call::<u8>("panic", ()).await.unwrap_err();
    assert_eq!((fault.kind(), fault.message()), (FaultKind::Internal, "Internal error"));
    assert_eq!(client.call::<()>("nothing", ()).await, Ok(()));
    let fault = client.call::<u8>("fail", "too many").await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidArgs);
}

pub(crate) async fn handlers_call_others_and_take_along_who_asks<W: World>() {
    let net = W::any().await.net();
    let whoami = async |identity: Identity| identity.subject().map(str::to_owned);
    let _whoami = Handler::start(&net, Router::new().procedure("whoami", whoami)).await;
    let ask = async |caller: Caller| caller.call::<Option<String>>("whoami", ()).await;
    let _ask = Handler::start(&net, Router::new().procedure("ask", ask)).await;
    let server = net.server(Router::new());
    let client = gateway_of(server, Identity::new("ada"));
    assert_eq!(client.call::<Option<String>>("ask", ()).await.unwrap().as_deref(), Some("ada"));
    assert_eq!(gateway(&net, Router::new()).call::<Option<String>>("ask", ()).await, Ok(None));
}

pub(crate) async fn networks_are_apart<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, Router::new().procedure("here", async || 1)).await;
    assert_eq!(gateway(&net, Router::new()).call::<u8>("here", ()).await, Ok(1));
    let fault = gateway(&net.other(), Router::new()).call::<u8>("here", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

/// T05: both clients count their calls from 1.
pub(crate) async fn equal_ids_of_clients_are_told_apart<W: World>() {
    let net = W::any().await.net();
    let router = || Router::new().procedure("echo", async |tag: String| tag);
    let _handlers = [Handler::start(&net, router()).await, Handler::start(&net, router()).await];
    let one = gateway(&net, Router::new());
    let two = gateway(&net, Router::new());
    let calls =
        (0..500).flat_map(|number| [(&one, format!("one {number}")), (&two, format!("two {number}"))]);
    join_all(calls.map(async |(client, tag)| {
        assert_eq!(client.call::<String>("echo", &tag).await.as_deref(), Ok(&*tag));
    }))
    .await;
}

#[tokio::test]
#[should_panic(expected = "procedure `users.get@1`: in a network it is to be called `users.get`")]
async fn a_name_that_would_not_be_found_is_refused_at_once() {
    let router = Router::new().procedure("users.get@1", async || ());
    drop(Net::new().server(router).bind().await);
}

pub(crate) async fn calls_go_in_a_circle_as_often_as_they_may<W: World>() {
    let net = W::any().await.net();
    let ask = |name: &'static str| move |caller: Caller| async move { caller.call::<u8>(name, ()).await };
    let _ping = Handler::start(&net, Router::new().procedure("ping", ask("pong"))).await;
    let _pong = Handler::start(&net, Router::new().procedure("pong", ask("ping"))).await;
    let fault = gateway(&net, Router::new()).call::<u8>("ping", ()).await.unwrap_err();
    assert_eq!(fault.message(), "too many calls inside of each other");
}
