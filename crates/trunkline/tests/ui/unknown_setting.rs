#[trunkline::service(scope = "math", color = "red")]
trait Math {
    #[procedure(fast)]
    async fn add(&self, #[arg(unit = "m")] a: i64, b: i64) -> i64;
}

fn main() {}

//~ 1:38 a service has no setting `color`: there are scope, version, internal, deprecated, group, data, timeout, ordered, client, service, crate
//~ 3:17 a procedure has no setting `fast`: there are name, version, internal, deprecated, group, data, timeout, ordered, notification, idempotent, parallel, blocking
