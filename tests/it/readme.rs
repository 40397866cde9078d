//! The README's parts that are made from the code. `UPDATE_README=1 cargo test --test it readme` writes them anew.

const BEGIN: &str = "<!-- actions: generated from the code, compared by a test -->\n";
const END: &str = "<!-- /actions -->";

#[test]
fn the_table_of_actions_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("README has the table's opening mark");
    let (_, tail) = rest.split_once(END).expect("README has the table's closing mark");
    let made = format!("{head}{BEGIN}{}\n{}{END}{tail}", trimtab::actions::table(), trimtab::actions::absent::table());
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, made).unwrap();
    } else {
        assert_eq!(text, made, "the table has changed: UPDATE_README=1 cargo test --test it readme");
    }
}

#[test]
fn every_picture_of_the_readme_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    for rest in text.split("](assets/").skip(1) {
        let name = rest.split(')').next().unwrap();
        assert!(root.join("assets").join(name).is_file(), "assets/{name} is missing");
    }
}
