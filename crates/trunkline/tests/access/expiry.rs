//! Identities that end: nothing begins under them after that, and no stream goes on.

use crate::support::{Wire, code, request};
use futures_util::stream;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, advance};
use trunkline::{Identity, Incoming, JsonRpc, Router, Service, access::Access};

/// How many items came, under whose name.
async fn count(mut items: Incoming<u8>, by: Identity) -> (u64, String) {
    let mut count = 0;
    while let Some(Ok(_)) = items.next().await {
        count += 1;
    }
    (count, crate::world::whoami(by).await)
}

fn item(call: u32) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.item", "params": {"call": call, "item": 1}}).to_string()
}

fn end(call: u32) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"call": call}}).to_string()
}

/// Ada, for a minute at a time.
fn wire() -> Wire {
    let access = Access::new().bearer(async |_| {
        Ok(Identity::new("ada").until((Instant::now() + Duration::from_secs(60)).into_std()))
    });
    let router = Router::new()
        .procedure("whoami", crate::world::whoami)
        .procedure("count", count)
        .procedure("silent", async || stream::pending::<u8>());
    Wire::to(Service::new(router, JsonRpc::default()).security(access))
}

/// T27: a token that expires in the middle of it all.
#[tokio::test(start_paused = true)]
async fn who_was_known_once_is_refused_until_it_authenticates_again() {
    let mut wire = wire();
    wire.ask(crate::world::login(1, "t")).await;
    advance(Duration::from_secs(59)).await;
    assert_eq!(wire.ask(crate::world::ask(2)).await["result"], "ada");
    advance(Duration::from_secs(1)).await;
    for id in 3..5 {
        assert_eq!(code(&wire.ask(crate::world::ask(id)).await), -32002);
    }
    wire.ask(crate::world::login(5, "t")).await;
    assert_eq!(wire.ask(crate::world::ask(6)).await["result"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_identity_that_it_was_opened_under() {
    let mut wire = wire();
    wire.ask(crate::world::login(1, "t")).await;
    let id = wire.ask(request(2, "silent", json!([]))).await["result"].clone();
    // the clock of the test runs by itself while all wait
    let began = Instant::now();
    let last = wire.next().await;
    assert_eq!(last["params"]["subscription"], id);
    assert_eq!(last["params"]["error"]["code"], -32002, "{last}");
    assert!((59..=61).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

/// Ada or bob, for a minute at a time.
fn either() -> Wire {
    let access = Access::new().bearer(async |name| {
        Ok(Identity::new(name).until((Instant::now() + Duration::from_secs(60)).into_std()))
    });
    let router = Router::new()
        .procedure("whoami", crate::world::whoami)
        .procedure("count", count)
        .procedure("silent", async || stream::pending::<u8>());
    Wire::to(Service::new(router, JsonRpc::default()).security(access))
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_if_its_identity_is_renewed() {
    let mut wire = either();
    wire.ask(crate::world::login(1, "ada")).await;
    let id = wire.ask(request(2, "silent", json!([]))).await["result"].clone();
    let began = Instant::now();
    for _ in 0..3 {
        advance(Duration::from_secs(50)).await;
        assert_eq!(wire.ask(crate::world::login(3, "ada")).await["result"]["subject"], "ada");
    }
    let last = wire.next().await;
    assert_eq!((&last["params"]["subscription"], &last["params"]["error"]["code"]), (&id, &json!(-32002)));
    assert!((209..=211).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_broken_off_if_somebody_else_comes() {
    let nobody = r#"{"jsonrpc":"2.0","id":9,"method":"rpc.authenticate"}"#.to_owned();
    for next in [crate::world::login(9, "bob"), nobody] {
        let mut wire = either();
        let open = request(1, "silent", json!([]));
        let first = wire.ask(&open).await["result"].clone();
        wire.ask(crate::world::login(2, "ada")).await;
        let id = wire.ask(&open).await["result"].clone();
        let began = Instant::now();
        wire.line(next).await;
        let mut heard = [wire.next().await, wire.next().await];
        heard.sort_by_key(|message| message["id"].is_null());
        assert_eq!(heard[0]["id"], 9);
        assert_eq!(heard[1]["params"]["subscription"], id);
        assert_eq!(heard[1]["params"]["error"]["code"], -32002, "{}", heard[1]);
        assert!(began.elapsed().is_zero(), "it has not expired");
        // what nobody opened is nobody's, and goes on
        assert_eq!(wire.ask(request(3, "rpc.unsubscribe", json!([first]))).await["result"], true);
    }
}

/// Each item gives the call more time, but not more than its caller is known for.
#[tokio::test(start_paused = true)]
async fn nobody_sends_items_under_an_identity_that_has_ended() {
    let mut wire = wire();
    wire.ask(crate::world::login(1, "t")).await;
    wire.line(request(2, "count", json!([]))).await;
    for _ in 0..5 {
        wire.line(item(2)).await;
        assert_eq!(code(&wire.ask(request(3, "no.such", json!([]))).await), -32601, "it has been heard");
        advance(Duration::from_secs(10)).await;
    }
    wire.ask(crate::world::login(4, "t")).await;
    advance(Duration::from_secs(20)).await;
    wire.line(item(2)).await;
    assert_eq!(code(&wire.ask(request(5, "no.such", json!([]))).await), -32601);
    advance(Duration::from_secs(20)).await;
    wire.line(item(2)).await;
    assert_eq!(code(&wire.ask(request(6, "no.such", json!([]))).await), -32601);
    advance(Duration::from_secs(20)).await;
    let told = wire.ask(item(2)).await;
    assert_eq!((&told["id"], code(&told)), (&json!(2), -32002), "{told}");
    wire.ask(crate::world::login(7, "t")).await;
    wire.line(end(2)).await;
    assert_eq!(wire.ask(crate::world::ask(8)).await["result"], "ada", "what follows is nobody's");
}

/// What one sends is not done in the name of another.
#[tokio::test(start_paused = true)]
async fn a_call_that_takes_a_stream_ends_if_somebody_else_comes() {
    let mut wire = either();
    wire.ask(crate::world::login(1, "ada")).await;
    wire.line(request(2, "count", json!([]))).await;
    wire.line(item(2)).await;
    wire.ask(crate::world::login(3, "ada")).await;
    wire.line(item(2)).await;
    let answer = wire.ask(end(2)).await;
    assert_eq!(answer["result"], json!([2, "ada"]), "she is who she was");
    wire.line(request(4, "count", json!([]))).await;
    wire.line(item(4)).await;
    wire.line(crate::world::login(5, "bob")).await;
    let mut heard = [wire.next().await, wire.next().await];
    heard.sort_by_key(|message| message["id"].as_u64());
    assert_eq!((&heard[0]["id"], code(&heard[0])), (&json!(4), -32002), "{}", heard[0]);
    assert_eq!(heard[1]["result"]["subject"], "bob");
    wire.line(item(4)).await;
    wire.line(end(4)).await;
    assert_eq!(wire.ask(crate::world::ask(6)).await["result"], "bob", "what follows is nobody's");
}
