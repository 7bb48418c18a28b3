//! Addresses that cannot be connected to, and what is said of them.

use crate::support::nobody;
use std::{error::Error, time::Duration};
use tokio::net::TcpListener;
use trunkline::Client;

async fn refusal(address: &str) -> String {
    Client::connect(address).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_first_attempt_must_succeed() {
    let address = nobody().await;
    let error = Client::connect(format!("tcp://{address}")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to tcp://{address}: is a server listening there?"));
    assert!(error.source().unwrap().to_string().contains("refused"));
}

#[tokio::test]
async fn what_makes_no_sense_is_said_to() {
    assert!(refusal("gopher://a").await.contains("there is no `gopher:`; begin it with one of tcp://"));
    assert!(refusal("localhost:9876").await.contains("write tcp://localhost:9876"));
    assert!(refusal("unix:/nonexistent/socket").await.contains("cannot connect to unix:/nonexistent/socket"));
    assert!(refusal("stdio:/nonexistent/program").await.contains("cannot start `/nonexistent/program`"));
    assert!(Client::builder("gopher://a").connect_lazy().is_err());
    let error = Client::builder("ws://a").header("bad name", "x").connect().await.unwrap_err();
    assert!(error.to_string().contains("header `bad name`"));
}

#[tokio::test]
async fn a_handshake_that_gets_no_answer_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::builder(format!("ws://{address}")).connect_timeout(Duration::from_millis(20));
    let error = client.connect().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no connection to ws://{address}/ within 20ms, the connect timeout")
    );
}
