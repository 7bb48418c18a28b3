//! Identities that end: nothing begins under them after that, and no stream goes on.

use crate::support::{Wire, code, request};
use futures_util::stream;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, advance};
use trunkline::{Identity, JsonRpc, Router, Service, access::Access};

/// Ada, for a minute at a time.
fn wire() -> Wire {
    let access = Access::new().bearer(async |_| {
        Ok(Identity::new("ada").until((Instant::now() + Duration::from_secs(60)).into_std()))
    });
    let router = Router::new()
        .procedure("whoami", crate::world::whoami)
        .procedure("silent", async || stream::pending::<u8>());
    Wire::of(Service::new(router, JsonRpc::default()).security(access))
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
