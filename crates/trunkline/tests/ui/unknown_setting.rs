#[trunkline::service(scope = "math", color = "red")]
trait Math {
    #[procedure(fast)]
    async fn add(&self, #[arg(unit = "m")] a: i64, b: i64) -> i64;
}

fn main() {}
