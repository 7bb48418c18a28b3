#[trunkline::service]
trait Math {
    const ZERO: i64;
    type Number;

    async fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}
