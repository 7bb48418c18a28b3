#[trunkline::service]
trait Math {
    async fn add(self, a: i64, b: i64) -> i64;

    async fn subtract(&mut self, a: i64, b: i64) -> i64;
}

fn main() {}
