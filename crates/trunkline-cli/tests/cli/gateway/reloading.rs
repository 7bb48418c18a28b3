//! SIGHUP: settings change while connections are open.

use super::{
    client::{Http, RPC, Ws, post},
    world::{Gateway, file},
};
use serde_json::Value;

fn origin(gateway: &Gateway, origin: &str) -> u16 {
    post(gateway.address, &format!("Origin: {origin}\r\n"), RPC).status
}

fn batch(answer: &Value) -> bool {
    answer.is_array()
}

#[test]
fn who_connects_from_now_on_has_the_new_settings_and_nobody_is_disconnected() {
    let name = "reloaded.toml";
    let path = file(name, "[http]\norigins = [\"https://old.example\"]\n[limits]\nmax_batch = 2\n");
    let mut gateway = Gateway::start(&["--config", &path]);
    let (mut http, mut ws) = (Http::connect(gateway.address), Ws::connect(gateway.address));
    let two = format!("[{RPC},{RPC}]");
    assert!(batch(&ws.ask(&two)) && batch(&http.post("", &two).json()));
    assert_eq!(
        (origin(&gateway, "https://old.example"), origin(&gateway, "https://new.example")),
        (200, 403)
    );

    file(name, "[http]\norigins = [\"https://new.example\"]\n[limits]\nmax_batch = 1\n");
    gateway.program.hang_up();
    gateway.program.stderr.find("reloaded");
    assert_eq!(
        (origin(&gateway, "https://old.example"), origin(&gateway, "https://new.example")),
        (403, 200)
    );
    assert!(
        !batch(&Ws::connect(gateway.address).ask(&two)) && !batch(&post(gateway.address, "", &two).json())
    );
    assert!(batch(&ws.ask(&two)) && batch(&http.post("", &two).json()), "they keep what they began with");

    // what makes no sense changes nothing
    file(name, "[http]\norigins = [\"*\"]\n[limits]\nmax_bach = 5\n");
    gateway.program.hang_up();
    let told = gateway.program.stderr.find("the settings stay as they were");
    assert!(
        told.contains("ERROR") && told.contains("reloaded.toml:4:1: there is no setting `limits.max_bach`"),
        "{told}"
    );
    assert_eq!(origin(&gateway, "https://old.example"), 403);
}

#[test]
fn what_wants_a_restart_is_named_and_the_rest_is_changed() {
    let path = file("restart.toml", "[limits]\nmax_batch = 2\n");
    let mut gateway = Gateway::start(&["--config", &path]);
    file(
        "restart.toml",
        "name = \"other\"\n[listen]\ntcp = [\"127.0.0.1:0\"]\n[broker]\nnetwork = \"other\"\n[limits]\nmax_batch = 1\n",
    );
    gateway.program.hang_up();
    for key in ["name", "listen.tcp", "broker.network"] {
        let told = gateway.program.stderr.find("needs a restart");
        assert!(told.contains("WARN") && told.contains(&format!("`{key}`")), "{told}");
    }
    gateway.program.stderr.find("reloaded");
    assert!(!batch(&Ws::connect(gateway.address).ask(&format!("[{RPC},{RPC}]"))));
}

/// Or a caller would have it anew with each change of something else.
#[test]
fn what_was_used_up_of_an_allowance_stays_so() {
    let path = file("allowance.toml", "[rate_limits]\neach_caller = \"1/h\"\n");
    let mut gateway = Gateway::start(&["--config", &path]);
    let code = |gateway: &Gateway| post(gateway.address, "", RPC).json()["error"]["code"].as_i64();
    assert_eq!((code(&gateway), code(&gateway)), (Some(-32601), Some(-32005)));
    gateway.program.hang_up();
    gateway.program.stderr.find("reloaded");
    assert_eq!(code(&gateway), Some(-32005));
    file("allowance.toml", "[rate_limits]\neach_caller = \"2/h\"\n");
    gateway.program.hang_up();
    gateway.program.stderr.find("reloaded");
    assert_eq!(code(&gateway), Some(-32601), "another rate is another allowance");
}

#[test]
fn certificates_are_read_anew() {
    let certificate = |name: &str| {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        file(&format!("{name}.key"), &signed.signing_key.serialize_pem());
        file(&format!("{name}.pem"), &signed.cert.pem());
        signed.cert.pem()
    };
    let old = certificate("renewed");
    let text = "[tls]\ncertificate_file = \"renewed.pem\"\nkey_file = \"renewed.key\"\n";
    let mut gateway = Gateway::start(&["--config", &file("renewed.toml", text)]);
    assert!(gateway.is_trusted(&old));
    let new = certificate("renewed");
    gateway.program.hang_up();
    gateway.program.stderr.find("reloaded");
    assert!(gateway.is_trusted(&new) && !gateway.is_trusted(&old));
}
