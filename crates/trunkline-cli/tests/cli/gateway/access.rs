//! Who may call through a gateway, and how often.

use super::{
    client::{Http, RPC, THERMS, Ws, post},
    world::{Gateway, SECRET, file},
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use trunkline::access::jsonwebtoken::{EncodingKey, Header, crypto::rust_crypto, encode};

fn token(secret: &str, issuer: &str) -> String {
    // whoever comes first
    let _ = rust_crypto::DEFAULT_PROVIDER.install_default();
    let hour = 3600 + SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({"sub": "ada", "exp": hour, "iss": issuer});
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn with_identity(token: &str) -> String {
    let mut call: Value = serde_json::from_str(THERMS).unwrap();
    call["identity"] = json!({"authorization": token});
    call.to_string()
}

#[test]
fn who_must_be_known_shows_a_token_that_was_signed_with_one_of_the_keys() {
    let other = SECRET.replace('2', "3");
    file("first.secret", SECRET);
    file("second.secret", &format!("{other}\n"));
    let text = r#"
        [identity]
        mode = "require"
        [jwt]
        secret_files = ["first.secret", "second.secret"]
        issuer = "us"
    "#;
    let gateway = Gateway::start(&["--config", &file("require.toml", text)]);
    let rpc = |headers: &str| post(gateway.address, headers, RPC);
    assert_eq!(rpc("").json()["error"]["code"], -32002);
    for secret in [SECRET, &other] {
        assert_eq!(rpc(&bearer(&token(secret, "us"))).json()["error"]["code"], -32601, "let through");
    }
    for bad in [token(&SECRET.replace('2', "4"), "us"), token(SECRET, "them")] {
        assert_eq!(rpc(&bearer(&bad)).status, 401);
    }
    let therms = |call: &str| post(gateway.address, "", call).json()["code"].clone();
    assert_eq!((therms(THERMS), therms(&with_identity(&token(SECRET, "us")))), (json!(401), json!(501)));
    // a WebSocket says it once
    let mut ws = Ws::connect(gateway.address);
    assert_eq!(ws.ask(RPC)["error"]["code"], -32002);
    let login =
        json!({"jsonrpc": "2.0", "id": 2, "method": "rpc.authenticate", "params": [token(SECRET, "us")]});
    assert_eq!(ws.ask(&login.to_string())["result"]["subject"], "ada");
    assert_eq!(ws.ask(RPC)["error"]["code"], -32601);
}

#[test]
fn who_need_not_be_known_may_call_but_not_with_a_bad_token() {
    let args = ["--set", "identity.mode=verify", "--set", "rate_limits.failed_logins=1/h"];
    let gateway = Gateway::with(&args, &[("TRUNKLINE_JWT_SECRET", SECRET)]);
    assert_eq!(post(gateway.address, "", RPC).json()["error"]["code"], -32601);
    assert_eq!(post(gateway.address, &bearer("x"), RPC).status, 401);
    assert_eq!(post(gateway.address, &bearer(&token(SECRET, "us")), RPC).status, 429, "one guess an hour");
}

/// One of those behind a proxy guesses.
#[test]
fn who_is_behind_a_trusted_proxy_is_counted_by_its_own_address() {
    let verify = ["--set", "identity.mode=verify", "--set", "rate_limits.failed_logins=1/h"];
    let trusted = [&verify[..], &["--set", "http.trusted_proxies=127.0.0.1"]].concat();
    for (args, others) in [(&verify[..], 429), (&trusted, 200)] {
        let gateway = Gateway::with(args, &[("TRUNKLINE_JWT_SECRET", SECRET)]);
        let from = |address: &str, token: &str| {
            post(gateway.address, &format!("X-Real-IP: {address}\r\n{}", bearer(token)), RPC).status
        };
        assert_eq!(from("203.0.113.7", "x"), 401);
        assert_eq!(from("203.0.113.7", &token(SECRET, "us")), 429, "one guess an hour");
        assert_eq!(from("203.0.113.8", &token(SECRET, "us")), others, "{args:?}");
    }
}

/// As gateways of @therms/rpc-server have it: handlers look at what callers say.
#[test]
fn what_callers_say_of_themselves_is_not_looked_at_unless_that_is_wanted() {
    let gateway = Gateway::start(&[]);
    assert_eq!(post(gateway.address, &bearer("x"), RPC).json()["error"]["code"], -32601);
    assert_eq!(post(gateway.address, "", &with_identity("x")).json()["code"], 501);
    assert_eq!(Ws::connect(gateway.address).ask(&with_identity("x"))["code"], 501);
}

#[test]
fn each_caller_may_call_as_often_as_is_set() {
    let gateway = Gateway::start(&["--set", "rate_limits.each_caller=2/h"]);
    let mut http = Http::connect(gateway.address);
    let mut codes = || http.post("", RPC).json()["error"]["code"].clone();
    assert_eq!([codes(), codes(), codes()], [json!(-32601), json!(-32601), json!(-32005)]);
    assert_eq!(Ws::connect(gateway.address).ask(THERMS)["code"], 429, "the same address");
}
