#[trunkline::service]
trait Math {
    async fn add(&self, (a, b): (i64, i64)) -> i64 {
        a + b
    }
}

fn main() {}

//~ 3:25 an argument needs a plain name, which callers know it by: write `name: Type`, and take it apart where the trait is implemented
