//! JSON Web Tokens, good and bad.

use crate::{support::Wire, world::whoami};
use serde_json::{Value, json};
use std::{
    error::Error,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use trunkline::{
    JsonRpc, Router, Service,
    access::{
        Access, Jwt,
        jsonwebtoken::{Algorithm, EncodingKey, Header, encode},
    },
    handler,
};

const SECRET: &str = "a secret of thirty-two random bytes";

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn seconds(from_now: i64) -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap() + from_now
}

/// Claims that are good, with others in place of some, or none where those are null.
fn claims(others: Value) -> Value {
    let mut claims =
        json!({"sub": "ada", "exp": seconds(600), "iss": "us", "aud": "rooms", "roles": "admin staff"});
    let Value::Object(others) = others else { panic!() };
    for (name, value) in others {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(&name),
            value => claims.as_object_mut().unwrap().insert(name, value),
        };
    }
    claims
}

fn jwt() -> Jwt {
    Jwt::hs256(SECRET).issuer("us").audience("rooms").groups_in("roles").leeway(Duration::ZERO)
}

#[test]
fn claims_become_an_identity() {
    let before = Instant::now();
    let ada = jwt().verify(&signed(&claims(json!({"tenant": 7})), Algorithm::HS256, SECRET)).unwrap();
    assert_eq!(ada.subject(), Some("ada"));
    assert_eq!(ada.groups().collect::<Vec<_>>(), ["admin", "staff"]);
    assert_eq!(ada.claim::<u32>("tenant"), Some(7));
    let left = ada.expires().unwrap() - before;
    assert!((598..=601).contains(&left.as_secs()), "{left:?}");
    let listed = signed(&claims(json!({"roles": ["a b", "c", 7]})), Algorithm::HS256, SECRET);
    assert_eq!(jwt().verify(&listed).unwrap().groups().collect::<Vec<_>>(), ["a b", "c"]);
}

/// Whatever the calendar says meanwhile.
#[tokio::test(start_paused = true)]
async fn it_lasts_by_the_clock_of_the_runtime() {
    tokio::time::advance(Duration::from_secs(3600)).await;
    let ada = jwt().verify(&signed(&claims(json!({"exp": seconds(60)})), Algorithm::HS256, SECRET)).unwrap();
    let left = ada.expires().unwrap() - tokio::time::Instant::now().into_std();
    assert!((58..=61).contains(&left.as_secs()), "{left:?}");
}

#[test]
fn what_is_not_right_is_refused() {
    let good = signed(&claims(json!({})), Algorithm::HS256, SECRET);
    let unsigned = {
        // {"alg":"none","typ":"JWT"}
        let claims = good.split('.').nth(1).unwrap();
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")
    };
    let hs256 = |others| signed(&claims(others), Algorithm::HS256, SECRET);
    for token in [
        String::new(),
        "a.b.c".to_owned(),
        unsigned,
        good[..good.len() - 2].to_owned(),
        signed(&claims(json!({})), Algorithm::HS256, "another secret"),
        signed(&claims(json!({})), Algorithm::HS384, SECRET),
        hs256(json!({"exp": null})),
        hs256(json!({"exp": "tomorrow"})),
        hs256(json!({"exp": -1})),
        hs256(json!({"exp": 1e300})),
        hs256(json!({"sub": null})),
        hs256(json!({"sub": 7})),
        hs256(json!({"sub": ""})),
        hs256(json!({"nbf": seconds(60)})),
        hs256(json!({"iss": "them"})),
        hs256(json!({"iss": null})),
        hs256(json!({"aud": "kitchen"})),
        hs256(json!({"aud": null})),
    ] {
        let fault = jwt().verify(&token).expect_err(&token);
        assert!(
            !fault.message().is_empty() && fault.message() != "the token has expired",
            "{token}: {fault}"
        );
    }
    let fault = jwt().verify(&hs256(json!({"exp": seconds(-1)}))).unwrap_err();
    assert_eq!(fault.message(), "the token has expired");
    assert!(fault.source().is_some(), "operators may know more");
}

#[test]
fn clocks_may_be_apart() {
    let late = signed(&claims(json!({"exp": seconds(-30)})), Algorithm::HS256, SECRET);
    let ada = jwt().leeway(Duration::from_secs(60)).verify(&late).unwrap();
    assert!(!ada.has_expired(Instant::now()));
    assert!(jwt().leeway(Duration::from_secs(10)).verify(&late).is_err());
}

/// Numbers at the ends of what a token may say.
#[test]
fn no_time_is_too_far_away() {
    for exp in [json!(i64::MAX), json!(u64::MAX), json!(1e18)] {
        let token = signed(&claims(json!({ "exp": exp })), Algorithm::HS256, SECRET);
        let ada = jwt().verify(&token).unwrap();
        assert!(ada.expires().unwrap() > Instant::now() + Duration::from_secs(1 << 30), "{exp}");
    }
    let good = signed(&claims(json!({})), Algorithm::HS256, SECRET);
    assert!(jwt().leeway(Duration::MAX).verify(&good).is_ok());
}

#[test]
#[should_panic(expected = "has 0 bytes, and must have 32")]
fn a_secret_that_was_forgotten_is_no_secret() {
    let _ = Jwt::hs256("");
}

#[test]
fn tokens_of_several_keys_are_taken() {
    let other = "another secret of thirty-two bytes";
    let access = Access::new().jwt(jwt()).jwt(Jwt::hs256(other).audience("rooms"));
    let on = trunkline::Connection::new("tcp", "none");
    for (secret, subject) in [(SECRET, Some("ada")), (other, Some("ada")), ("a third secret", None)] {
        let token = signed(&claims(json!({})), Algorithm::HS256, secret);
        let said = trunkline::OwnedPayload::encode(&[token], trunkline::Format::Json).unwrap();
        let found = trunkline::Security::authenticate(&access, trunkline::Credentials::Message(&said), &on);
        let found = futures_util::FutureExt::now_or_never(found).unwrap();
        assert_eq!(found.ok().as_ref().and_then(trunkline::Identity::subject), subject);
    }
}

#[test]
fn debug_output_keeps_the_key() {
    assert!(!format!("{:?}", jwt()).contains(SECRET));
}

#[tokio::test]
async fn a_server_knows_its_callers_by_them() {
    let router =
        Router::new().procedure("whoami", whoami).procedure("reset", handler(async || "done").group("admin"));
    let service = Service::new(router, JsonRpc::default()).security(Access::new().jwt(jwt()));
    let mut wire = Wire::to(service);
    wire.ask(crate::world::login(1, &signed(&claims(json!({})), Algorithm::HS256, SECRET))).await;
    assert_eq!(wire.ask(crate::world::ask(2)).await["result"], "ada");
    assert_eq!(wire.ask(r#"{"jsonrpc":"2.0","id":3,"method":"reset"}"#).await["result"], "done");
    let answer = wire.ask(crate::world::login(4, "a.b.c")).await;
    assert_eq!(answer["error"], json!({"code": -32002, "message": "the token is not valid"}));
}
