//! [`compile`]: a schema into rules, in the order in which they are applied.

use super::{
    BadSchema,
    coerce::Types,
    keywords,
    ordered::Ordered,
    place::Place,
    rule::{Bound, Part, Rule, Schema},
    text::Text,
};
use jsonschema::draft7;
use std::collections::{HashMap, VecDeque};

/// The only `$schema` there is, but for a `#` at its end.
const DRAFT_07: &str = "http://json-schema.org/draft-07/schema";

/// All schemas in a schema, the whole first.
pub(super) fn compile(document: &Ordered) -> Result<Vec<Schema>, BadSchema> {
    if let Some(draft) = document.get("$schema").filter(|it| !it.as_str().is_some_and(is_draft_07)) {
        return Err(BadSchema::new("#/$schema", format!("{} is not draft-07", draft.to_value())));
    }
    if let Err(error) = draft7::meta::validate(&document.to_value()) {
        return Err(BadSchema::new(format!("#{}", error.instance_path()), error.to_string()));
    }
    let mut compiler =
        Compiler { document, schemas: Vec::new(), known: HashMap::new(), waiting: VecDeque::new() };
    compiler.part(document, "#".to_owned(), false)?;
    // not where they are met: they may refer to each other, and on and on
    while let Some((part, schema, place)) = compiler.waiting.pop_front() {
        compiler.schemas[part] = compiler.schema(schema, &place, false)?;
    }
    Ok(compiler.schemas)
}

fn is_draft_07(draft: &str) -> bool {
    draft.strip_suffix('#').unwrap_or(draft) == DRAFT_07
}

pub(super) struct Compiler<'a> {
    pub(super) document: &'a Ordered,
    schemas: Vec<Schema>,
    /// Those that have been met, by their places.
    pub(super) known: HashMap<String, Part>,
    /// Those that were referred to.
    pub(super) waiting: VecDeque<(Part, &'a Ordered, String)>,
}

/// Whether an alternative is read, in which defaults are not filled in.
pub(super) type IsAlternative = bool;

impl<'a> Compiler<'a> {
    fn part(&mut self, schema: &'a Ordered, place: String, within: IsAlternative) -> Result<Part, BadSchema> {
        let part = self.reserved(&place);
        self.schemas[part] = self.schema(schema, &place, within)?;
        Ok(part)
    }

    pub(super) fn reserved(&mut self, place: &str) -> Part {
        let part = self.schemas.len();
        self.schemas.push(Schema::Any(true));
        self.known.insert(place.to_owned(), part);
        part
    }

    fn schema(
        &mut self,
        schema: &'a Ordered,
        place: &str,
        within: IsAlternative,
    ) -> Result<Schema, BadSchema> {
        if let Some(any) = schema.as_bool() {
            return Ok(Schema::Any(any));
        }
        let Ordered::Object(members) = schema else {
            return Err(BadSchema::new(place, "it is neither an object nor true or false"));
        };
        for (keyword, _) in members {
            if !keywords::is_known(keyword) {
                return Err(BadSchema::new(place, format!("the keyword `{keyword}` is not known")));
            }
            if let Some(needed) = keywords::needs(keyword)
                && !needed.iter().any(|it| schema.get(it).is_some())
            {
                let needed = needed.join("` or `");
                return Err(BadSchema::new(place, format!("`{keyword}` means nothing without `{needed}`")));
            }
        }
        if place != "#" && schema.get("$id").is_some() {
            let why = "an `$id` is for the whole schema; refer to its parts as `#/definitions/…`";
            return Err(BadSchema::new(place, why));
        }
        let mut rules = Vec::new();
        let types = types(schema, place)?;
        // where only rules for objects could follow, others come first
        let is_late = types.as_ref().is_some_and(Types::are_objects)
            && keywords::OBJECT.iter().any(|keyword| schema.get(keyword).is_some());
        let mut types = types.map(Rule::Type);
        if !is_late {
            rules.extend(types.take());
        }
        for keyword in keywords::in_order() {
            if keyword == "maxItems" {
                rules.extend(self.item_defaults(schema, place, within)?);
            } else if keyword == "maxProperties" {
                rules.extend(types.take());
                rules.extend(self.defaults(schema, place, within)?);
            }
            if let Some(value) = schema.get(keyword) {
                let at = Place { schema, place, keyword, within };
                self.rules(&at, value, &mut rules)?;
            }
        }
        Ok(Schema::Rules(rules))
    }

    fn rules(
        &mut self,
        at: &Place<'a, '_>,
        value: &'a Ordered,
        rules: &mut Vec<Rule>,
    ) -> Result<(), BadSchema> {
        rules.push(match at.keyword {
            "$ref" => self.reference(at, value)?,
            "const" => Rule::Const(value.to_value()),
            "enum" => Rule::Enum(value.items().iter().map(Ordered::to_value).collect()),
            "not" => Rule::Not(self.below(at, value, true)?),
            // with one that takes everything, nothing is tried and nothing changed
            "anyOf" if value.items().iter().any(takes_everything) => return Ok(()),
            "anyOf" => Rule::AnyOf(self.list(at, value, true)?),
            "oneOf" => Rule::OneOf(self.list(at, value, true)?),
            "allOf" => Rule::AllOf(self.list(at, value, at.within)?),
            "if" => Rule::If {
                condition: self.below(at, value, true)?,
                then: self.beside(at, "then")?,
                otherwise: self.beside(at, "else")?,
            },

            "maximum" => Rule::Range(Bound::AtMost, at.number(value)?),
            "minimum" => Rule::Range(Bound::AtLeast, at.number(value)?),
            "exclusiveMaximum" => Rule::Range(Bound::Below, at.number(value)?),
            "exclusiveMinimum" => Rule::Range(Bound::Above, at.number(value)?),
            "multipleOf" => Rule::MultipleOf(at.number(value)?),

            "maxLength" => Rule::MaxLength(at.count(value)?),
            "minLength" => Rule::MinLength(at.count(value)?),
            "pattern" => {
                let pattern = at.text(value)?;
                Rule::Text(at.pattern(pattern)?, format!("must match pattern \"{pattern}\""))
            }
            "format" => {
                let format = at.text(value)?;
                let known = Text::format(format).ok_or_else(|| at.bad("no such format is known"))?;
                Rule::Text(known, format!("must match format \"{format}\""))
            }

            "maxItems" => Rule::MaxItems(at.count(value)?),
            "minItems" => Rule::MinItems(at.count(value)?),
            "additionalItems" => {
                let Some(Ordered::Array(tuple)) = at.schema.get("items") else {
                    return Err(at.bad("it means nothing where `items` is not a list of schemas"));
                };
                match value.as_bool() {
                    Some(false) => Rule::MaxItems(tuple.len()),
                    _ => Rule::Rest(tuple.len(), self.below(at, value, at.within)?),
                }
            }
            "items" => match value {
                Ordered::Array(_) => Rule::Tuple(self.list(at, value, at.within)?),
                _ => Rule::Items(self.below(at, value, at.within)?),
            },
            "contains" => Rule::Contains(self.below(at, value, true)?),
            "uniqueItems" if value.as_bool() == Some(false) => return Ok(()),
            "uniqueItems" => {
                let items =
                    at.schema.get("items").map(|items| types(items, &at.here())).transpose()?.flatten();
                Rule::Unique { scalars: items.is_some_and(|types| types.are_scalars()) }
            }

            "maxProperties" => Rule::MaxProperties(at.count(value)?),
            "minProperties" => Rule::MinProperties(at.count(value)?),
            "required" => Rule::Required(names(value)),
            "propertyNames" => Rule::PropertyNames(self.below(at, value, true)?),
            "additionalProperties" if value.as_bool() == Some(true) => return Ok(()),
            "additionalProperties" => {
                let names = |keyword| at.schema.get(keyword).map_or(&[][..], Ordered::members);
                let patterns = names("patternProperties").iter().map(|(pattern, _)| at.pattern(pattern));
                Rule::Additional {
                    listed: names("properties").iter().map(|(name, _)| name.clone()).collect(),
                    patterns: patterns.collect::<Result<_, _>>()?,
                    part: match value.as_bool() {
                        Some(false) => None,
                        _ => Some(self.below(at, value, at.within)?),
                    },
                }
            }
            "dependencies" => {
                // names first, whatever stands between them
                for (name, needed) in value.members() {
                    if let Ordered::Array(_) = needed {
                        rules.push(Rule::NeedsNames(name.clone(), names(needed)));
                    }
                }
                for (name, part) in self.members(at, value)? {
                    rules.push(Rule::NeedsSchema(name, part));
                }
                return Ok(());
            }
            "properties" => Rule::Properties(self.members(at, value)?),
            "patternProperties" => {
                let parts = self.members(at, value)?.into_iter();
                Rule::PatternProperties(
                    parts
                        .map(|(pattern, part)| Ok((at.pattern(&pattern)?, part)))
                        .collect::<Result<_, _>>()?,
                )
            }
            _ => return Ok(()),
        });
        Ok(())
    }

    fn below(
        &mut self,
        at: &Place<'_, '_>,
        schema: &'a Ordered,
        within: IsAlternative,
    ) -> Result<Part, BadSchema> {
        self.part(schema, at.here(), within)
    }

    fn beside(&mut self, at: &Place<'a, '_>, keyword: &str) -> Result<Option<Part>, BadSchema> {
        let schema = at.schema.get(keyword);
        schema.map(|schema| self.part(schema, format!("{}/{keyword}", at.place), at.within)).transpose()
    }

    fn list(
        &mut self,
        at: &Place<'_, '_>,
        list: &'a Ordered,
        within: IsAlternative,
    ) -> Result<Vec<Part>, BadSchema> {
        let items = list.items().iter().enumerate();
        items.map(|(number, schema)| self.part(schema, format!("{}/{number}", at.here()), within)).collect()
    }

    /// The schemas among the members.
    fn members(&mut self, at: &Place<'_, '_>, of: &'a Ordered) -> Result<Vec<(String, Part)>, BadSchema> {
        let members = of.members().iter().filter(|(_, schema)| !matches!(schema, Ordered::Array(_)));
        let part = |(name, schema): &'a (String, Ordered)| {
            Ok((name.clone(), self.part(schema, format!("{}/{}", at.here(), escaped(name)), at.within)?))
        };
        members.map(part).collect()
    }

    fn defaults(
        &self,
        schema: &Ordered,
        place: &str,
        within: IsAlternative,
    ) -> Result<Option<Rule>, BadSchema> {
        let properties = schema.get("properties").map_or(&[][..], Ordered::members).iter();
        let defaults =
            properties.filter_map(|(name, it)| Some((name.clone(), it.get("default")?.to_value())));
        let defaults: Vec<_> = defaults.collect();
        may_fill(!defaults.is_empty(), &format!("{place}/properties"), within)?;
        Ok((!defaults.is_empty()).then_some(Rule::Defaults(defaults)))
    }

    fn item_defaults(
        &self,
        schema: &Ordered,
        place: &str,
        within: IsAlternative,
    ) -> Result<Option<Rule>, BadSchema> {
        let tuple = schema.get("items").map_or(&[][..], Ordered::items).iter();
        let defaults: Vec<_> = tuple.map(|item| item.get("default").map(Ordered::to_value)).collect();
        let has_some = defaults.iter().any(Option::is_some);
        may_fill(has_some, &format!("{place}/items"), within)?;
        Ok(has_some.then_some(Rule::ItemDefaults(defaults)))
    }
}

/// What `type` and `nullable` of a schema say.
fn types(schema: &Ordered, place: &str) -> Result<Option<Types>, BadSchema> {
    let Some(listed) = schema.get("type") else { return Ok(None) };
    let mut names: Vec<&str> = match listed.as_str() {
        Some(name) => vec![name],
        None => listed.items().iter().filter_map(Ordered::as_str).collect(),
    };
    let nullable = schema.get("nullable").and_then(Ordered::as_bool);
    if nullable == Some(false) && names.contains(&"null") {
        return Err(BadSchema::new(place, "its `type` has `null`, and `nullable` is false"));
    }
    let is_nullable = nullable == Some(true) && !names.contains(&"null");
    // a list is told with what it is extended by, a name is not
    if is_nullable && listed.as_str().is_none() {
        names.push("null");
    }
    let types =
        Types::new(&names, is_nullable).ok_or_else(|| BadSchema::new(place, "there is no such type"))?;
    Ok(Some(types))
}

fn may_fill(has_defaults: bool, place: &str, within: IsAlternative) -> Result<(), BadSchema> {
    match has_defaults && within {
        true => Err(BadSchema::new(place, "a default within an alternative is never filled in; take it out")),
        false => Ok(()),
    }
}

fn names(list: &Ordered) -> Vec<String> {
    list.items().iter().filter_map(Ordered::as_str).map(str::to_owned).collect()
}

/// Whether a schema says nothing of values.
fn takes_everything(schema: &Ordered) -> bool {
    let says = |keyword| schema.get(keyword).is_some();
    schema.as_bool() != Some(false) && !says("type") && !keywords::in_order().any(says)
}

/// A name as a step of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
