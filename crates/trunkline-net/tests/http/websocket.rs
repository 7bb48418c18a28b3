//! WebSocket over HTTP/1.1.

use crate::support::plain;
use trunkline_net::ws::WebSocket;

#[tokio::test]
async fn calls_are_answered() {
    let server = plain().await;
    let peer = server.peer("/", WebSocket::client()).await;
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
}
