//! What is too large, in either direction: each call is told, and the next one works.

use crate::{
    forgetful::Forgetful,
    world::{Handler, LONG, Net, gateway, gateway_of},
};
use trunkline::{FaultKind, Identity, Limits, Router};

fn echo() -> Router {
    Router::new()
        .procedure("echo", async |text: String| text)
        .procedure("length", async |text: String| text.len())
        .procedure("repeat", async |count: usize| "x".repeat(count))
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_does_not_carry_is_told() {
    let net = Net::on(Forgetful::carrying(4096));
    let _handler = Handler::start(&net, echo()).await;
    let client = gateway(&net, Router::new());
    let large = "x".repeat(5000);
    let fault = client.call::<String>("echo", &large).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::RequestTooLarge, "{fault}");
    let fault = client.call::<String>("repeat", 5000).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::ReplyTooLarge, "{fault}");
    assert_eq!(client.call::<String>("repeat", 1000).await, Ok("x".repeat(1000)));
}

#[tokio::test(start_paused = true)]
async fn limits_of_servers_hold() {
    let net = Net::new();
    let small = Limits::default().max_message(1000).max_reply(500).max_head(500).call_timeout(LONG);
    let _handler = Handler::with_limits(&net, echo(), small.clone()).await;
    let client = gateway(&net, Router::new());
    let fault = client.call::<usize>("length", "x".repeat(2000)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::RequestTooLarge, "of the server that has the procedure: {fault}");
    let fault = client.call::<String>("echo", "x".repeat(600)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::ReplyTooLarge, "{fault}");
    assert_eq!(client.call::<usize>("length", "x".repeat(600)).await, Ok(600));

    let net = Net::new();
    let _handler = Handler::start(&net, echo()).await;
    let wide = Limits::default().call_timeout(LONG).max_reply(500);
    let client = gateway_of(net.server(Router::new()).limits(wide), Identity::anonymous());
    let fault = client.call::<String>("repeat", 600).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::ReplyTooLarge, "of the server that asks: {fault}");
}
