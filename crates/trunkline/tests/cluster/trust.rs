//! What is internal stays among the servers.

use crate::{
    http_client::Request,
    therms::{on_port, posted},
    world::{Handler, World, gateway, gateway_of},
};
use serde_json::{Value, json};
use trunkline::{
    Call, Caller, Context, Details, Fault, FaultKind, Identity, Listener, Router, Security,
    access::Access,
    handler,
    security::{by_group, unauthenticated},
    therms,
};

fn secret() -> Router {
    Router::new().procedure("secret", handler(async || 42).internal())
}

/// T28.
pub(crate) async fn what_is_internal_answers_servers_only<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, secret()).await;
    let ask = async |caller: Caller| caller.call::<u8>("secret", ()).await;
    let client = gateway(&net, Router::new().procedure("ask", ask));
    assert_eq!(client.call::<u8>("ask", ()).await, Ok(42));
    for args in [
        json!(null),
        json!({"internal": true}),
        json!({"trace": {"internal": true, "depth": 1}}),
        json!({"request": {"trace": {"internal": true}}}),
    ] {
        let fault = client.call::<Value>("secret", &args).await.unwrap_err();
        assert_eq!((fault.kind(), fault.message()), (FaultKind::NotFound, "Method not found"), "{args}");
    }
}

struct Groups;

impl Security for Groups {
    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        by_group(call, procedure)
    }
}

pub(crate) async fn a_server_asks_its_own_security_of_strangers<W: World>() {
    let net = W::any().await.net();
    let router = Router::new().procedure("delete", handler(async || "gone").group("admin"));
    let _handler = Handler::with(&net, router, |server| server.security(Groups)).await;
    let as_one = |identity| gateway_of(net.server(Router::new()), identity);
    let ada = as_one(Identity::new("ada").with_group("admin"));
    assert_eq!(ada.call::<String>("delete", ()).await.as_deref(), Ok("gone"));
    let bob = as_one(Identity::new("bob"));
    assert_eq!(bob.call::<String>("delete", ()).await.unwrap_err().kind(), FaultKind::Forbidden);
    let fault = as_one(Identity::anonymous()).call::<String>("delete", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unauthenticated);
}

/// Whoever decides by names needs to know one for each procedure.
pub(crate) async fn no_other_spelling_of_a_name_gets_past_guards_and_rules<W: World>() {
    let net = W::any().await.net();
    let pay = || Router::new().procedure("bank.pay", async || "paid").procedure("ping", async || "pong");
    let _handler = Handler::start(&net, pay()).await;
    let forbid = |call: &Call<'_>| match call.procedure {
        "bank.pay" | "ping" => Err(Fault::new(FaultKind::Forbidden, "not here")),
        _ => Ok(()),
    };
    let ruled = net.server(Router::new()).security(Access::new().rule(move |call, _| forbid(call)));
    for server in [net.server(Router::new().guard(forbid)), ruled] {
        let client = gateway_of(server, Identity::anonymous());
        for (name, kind) in [
            ("bank.pay", FaultKind::Forbidden),
            ("ping", FaultKind::Forbidden),
            ("bank.pay@1", FaultKind::NotFound),
            ("bank::pay::1", FaultKind::NotFound),
            ("ping@1", FaultKind::NotFound),
            ("global.ping", FaultKind::NotFound),
            ("global::ping::1", FaultKind::NotFound),
        ] {
            let fault = client.call::<String>(name, ()).await.unwrap_err();
            assert_eq!(fault.kind(), kind, "{name}");
            let hint = fault.raw_data().unwrap_or_default();
            let shortest = if name.contains("pay") { "`bank.pay`" } else { "`ping`" };
            assert_eq!(hint.contains(shortest), kind == FaultKind::NotFound, "{name}: {hint}");
        }
    }
}

/// Knows these by tokens that are their names.
fn knows(names: &'static [&'static str]) -> Access {
    Access::new().bearer(async move |token| match names.iter().find(|name| **name == token) {
        Some(name) => Ok(Identity::new(*name)),
        None => Err(unauthenticated("the token is not known")),
    })
}

pub(crate) async fn who_is_nobody_to_a_gateway_that_finds_out_is_nobody_everywhere<W: World>() {
    let net = W::any().await.net();
    let whoami = async |identity: Identity| identity.subject().map(str::to_owned);
    let router = Router::new().procedure("whoami", whoami);
    let _handler = Handler::with(&net, router, |server| server.security(knows(&["ada", "eve"]))).await;
    let finds_out = on_port(net.server(Router::new()).security(knows(&["ada"]))).await;
    let decides = on_port(net.server(Router::new()).security(Access::new())).await;
    let lets_pass = on_port(net.server(Router::new())).await;
    let asked = async |gateway, token: Value| {
        let asked = json!({"procedure": "whoami", "identity": {"authorization": token}});
        let told = posted(gateway, &asked).await;
        (told["code"].clone(), told["data"].clone())
    };
    for (token, who) in
        [(json!("ada"), json!("ada")), (json!("eve"), json!(null)), (json!(null), json!(null))]
    {
        assert_eq!(asked(finds_out, token).await, (json!(200), who));
    }
    // who does not find out leaves it to others
    for gateway in [decides, lets_pass] {
        assert_eq!(asked(gateway, json!("eve")).await, (json!(200), json!("eve")));
        assert_eq!(asked(gateway, json!("bob")).await.0, json!(401));
        assert_eq!(asked(gateway, json!(null)).await, (json!(200), json!(null)));
    }
    // also of who has another word for it
    let whoami = json!({"jsonrpc": "2.0", "id": 1, "method": "whoami"}).to_string();
    let asked = async |gateway, token: &str| {
        let request = Request::post(whoami.as_bytes()).header("authorization", &format!("Bearer {token}"));
        let told = request.send(gateway).await.unwrap().body;
        serde_json::from_str::<Value>(&told)
            .map(|told| told["result"].clone())
            .unwrap_or_else(|_| json!(told))
    };
    assert_eq!(asked(finds_out, "ada").await, "ada");
    assert_eq!(asked(finds_out, "eve").await, "the token is not known");
    assert_eq!(asked(lets_pass, "eve").await, "eve");
    assert_eq!(asked(lets_pass, "bob").await, json!(null));
}

pub(crate) async fn where_a_client_is_says_a_proxy_that_is_trusted<W: World>() {
    let net = W::any().await.net();
    let seen = async |asked: therms::Request, context: Context| {
        (asked.trace.ip_address, context.connection().client_address())
    };
    let _handler = Handler::start(&net, Router::new().procedure("seen", seen)).await;
    let trusting = |proxy: [u8; 4]| {
        let listener = Listener::http("127.0.0.1:0").settings(move |http| http.trust_proxies([proxy.into()]));
        on_port(net.server(Router::new()).listen(listener))
    };
    for (gateway, address) in
        [(trusting([127, 0, 0, 1]).await, "203.0.113.7"), (trusting([10, 0, 0, 1]).await, "127.0.0.1")]
    {
        for (asked, result) in [
            (json!({"jsonrpc": "2.0", "id": 1, "method": "seen"}), "result"),
            (json!({"procedure": "seen"}), "data"),
        ] {
            let asked = asked.to_string();
            let request = Request::post(asked.as_bytes()).header("x-real-ip", "203.0.113.7, 10.0.0.9");
            let told: Value = serde_json::from_str(&request.send(gateway).await.unwrap().body).unwrap();
            assert_eq!(told[result], json!([address, address]), "{asked}");
        }
    }
}
