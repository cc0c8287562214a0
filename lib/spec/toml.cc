/*
 * toml.cc - TOML as a tree; see toml.h
 *
 * The one C++ file: toml++ has the grammar, this file turns its tables into
 * our nodes.  No exception leaves it.  toml++ is compiled in (it can be all
 * headers) rather than linked, as only so its limit on nesting can be ours.
 */
extern "C" {
#include "spec/toml.h"
}

#include <algorithm>
#include <cstring>
#include <new>
#include <sstream>
#include <string_view>
#include <vector>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16	/* arrays and inline tables */
#include <toml++/toml.h>

namespace {

/* toml++ walks dotted keys by recursion, and version 3.3 does so without a
 * limit.  Here is what of the grammar tells a dot of a key from others:
 * comments and strings.  Where text and grammar disagree, toml++ stops before
 * the place that was misjudged. */
class key_scan {
public:
	key_scan(const char *text, std::size_t len) : p(text), end(text + len)
	{
	}

	/* The line of a key of too many parts, or 0. */
	std::size_t find()
	{
		std::size_t dots = 0;

		for (; p < end; p++) {
			if (*p == '.')
				dots++;
			else if (*p == '\n' || std::strchr("=,[]{}", *p))
				dots = 0;
			else if (*p == '#')
				comment();
			else if (*p == '"' || *p == '\'')
				string();
			if (dots >= TW_TOML_KEY_PARTS_MAX)
				return line;
			if (p < end && *p == '\n')
				line++;
		}
		return 0;
	}

private:
	const char *p, *end;
	std::size_t line = 1;

	/* Leaves p before the line's end. */
	void comment()
	{
		while (p + 1 < end && p[1] != '\n')
			p++;
	}

	bool triple(const char *s, char quote) const
	{
		return end - s >= 3 && s[0] == quote && s[1] == quote &&
		    s[2] == quote;
	}

	/* Leaves p at the closing quote, or before the end of the line of a
	 * string that isn't closed. */
	void string()
	{
		const char quote = *p;
		const bool lines = triple(p, quote);

		for (p += lines ? 3 : 1; p < end; p++) {
			if (*p == '\\' && quote == '"' && p + 1 < end)
				p++;
			else if (*p == quote && !lines)
				return;
			else if (lines && triple(p, quote))
				break;
			if (*p == '\n' && !lines) {
				p--;
				return;
			}
			if (*p == '\n')
				line++;
		}
		while (lines && p < end && *p == quote)
			p++;
		p--;
	}
};

class reader {
public:
	reader(struct tw_tree *t, struct tw_diags *d) : tree(t), ds(d)
	{
	}

	bool table(struct tw_tree_node *node, const toml::table &t,
	    std::size_t depth);
	struct tw_tree_node *add(struct tw_tree_node *parent,
	    enum tw_tree_type type, const toml::key *key,
	    const toml::node &value);

private:
	struct tw_tree *tree;
	struct tw_diags *ds;

	bool value(struct tw_tree_node *parent, const toml::key *key,
	    const toml::node &value, std::size_t depth);
	bool text(struct tw_tree_node *node, std::string_view s);
	bool time(struct tw_tree_node *node, const toml::node &value);
	bool too_deep(const struct tw_tree_node *node, std::size_t depth);
};

enum tw_tree_type type_of(const toml::node &value)
{
	switch (value.type()) {
	case toml::node_type::table:
		return TW_TREE_TABLE;
	case toml::node_type::array:
		return TW_TREE_LIST;
	case toml::node_type::string:
		return TW_TREE_TEXT;
	case toml::node_type::integer:
		return TW_TREE_INTEGER;
	case toml::node_type::floating_point:
		return TW_TREE_FLOAT;
	case toml::node_type::boolean:
		return TW_TREE_BOOLEAN;
	case toml::node_type::date:
	case toml::node_type::time:
	case toml::node_type::date_time:
		return TW_TREE_TIME;
	default:
		return TW_TREE_NULL;
	}
}

/* A member stands where its key does: people look for that. */
struct tw_tree_node *reader::add(struct tw_tree_node *parent,
    enum tw_tree_type type, const toml::key *key, const toml::node &value)
{
	const toml::source_region &at = key ? key->source() : value.source();
	struct tw_tree_node *n;

	n = tw_tree_add(tree, parent, type,
	    key ? key->str().data() : nullptr, key ? key->str().size() : 0);
	if (!n && tree->nodes == TW_TREE_NODES_MAX)
		tw_diags_add(ds, 0, 0, nullptr, "has more than %d values",
		    TW_TREE_NODES_MAX);
	if (!n)
		return nullptr;
	n->line = at.begin.line;
	n->col = at.begin.column;
	return n;
}

bool reader::too_deep(const struct tw_tree_node *node, std::size_t depth)
{
	if (depth <= TW_TREE_DEPTH_MAX)
		return false;
	tw_tree_bad(ds, node, nullptr, "is nested deeper than %d levels",
	    TW_TREE_DEPTH_MAX);
	return true;
}

/* toml++ sorts by name; people and questions have the file's order. */
bool reader::table(struct tw_tree_node *node, const toml::table &t,
    std::size_t depth)
{
	std::vector<std::pair<const toml::key *, const toml::node *>> members;

	if (too_deep(node, depth))
		return true;
	for (auto &&[key, member] : t) {
		if (std::memchr(key.str().data(), 0, key.str().size())) {
			tw_diags_add(ds, key.source().begin.line,
			    key.source().begin.column, nullptr,
			    "a key holds a NUL");
			continue;
		}
		members.emplace_back(&key, &member);
	}
	std::stable_sort(members.begin(), members.end(),
	    [](const auto &a, const auto &b) {
		const toml::source_position &x = a.first->source().begin;
		const toml::source_position &y = b.first->source().begin;

		return x.line != y.line ? x.line < y.line :
		    x.column < y.column;
	});
	for (const auto &m : members)
		if (!value(node, m.first, *m.second, depth))
			return false;
	return true;
}

bool reader::text(struct tw_tree_node *node, std::string_view s)
{
	if (std::memchr(s.data(), 0, s.size())) {
		tw_tree_bad(ds, node, nullptr, "holds a NUL");
		s = std::string_view();
	}
	node->text = tw_arena_copy(&tree->arena, s.data(), s.size());
	node->len = s.size();
	return node->text != nullptr;
}

bool reader::time(struct tw_tree_node *node, const toml::node &value)
{
	std::ostringstream out;

	if (const auto *d = value.as_date())
		out << d->get();
	else if (const auto *t = value.as_time())
		out << t->get();
	else if (const auto *dt = value.as_date_time())
		out << dt->get();
	return text(node, out.str());
}

/* False: no memory, or too many values (which ds says). */
bool reader::value(struct tw_tree_node *parent, const toml::key *key,
    const toml::node &value, std::size_t depth)
{
	struct tw_tree_node *n = add(parent, type_of(value), key, value);

	if (!n)
		return false;
	switch (n->type) {
	case TW_TREE_BOOLEAN:
		n->boolean = value.as_boolean()->get();
		return true;
	case TW_TREE_INTEGER:
		n->integer = value.as_integer()->get();
		return true;
	case TW_TREE_FLOAT:
		n->number = value.as_floating_point()->get();
		return true;
	case TW_TREE_TEXT:
		return text(n, value.as_string()->get());
	case TW_TREE_TIME:
		return time(n, value);
	case TW_TREE_TABLE:
		return table(n, *value.as_table(), depth + 1);
	case TW_TREE_LIST:
		if (too_deep(n, depth + 1))
			return true;
		for (const toml::node &item : *value.as_array())
			if (!this->value(n, nullptr, item, depth + 1))
				return false;
		return true;
	default:
		return true;
	}
}

void refuse(const toml::parse_error &e, struct tw_diags *ds)
{
	const std::string_view why = e.description();
	struct tw_buf b = TW_BUF_INIT;

	tw_diag_escape(&b, why.data(), why.size(), 200);
	tw_diags_add(ds, e.source().begin.line, e.source().begin.column,
	    nullptr, "this is no TOML: %s", tw_buf_str(&b));
	tw_buf_release(&b);
}

/* False: no memory, or the tree is full. */
bool parse(std::string_view text, struct tw_diags *ds, struct tw_tree *out)
{
	reader r(out, ds);

	try {
		const toml::table root = toml::parse(text);
		struct tw_tree_node *n = r.add(nullptr, TW_TREE_TABLE, nullptr,
		    root);

		return n && r.table(n, root, 1);
	} catch (const toml::parse_error &e) {
		refuse(e, ds);
		return true;
	}
}

}

extern "C" enum tw_status tw_toml_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_tree *out, struct tw_err *err)
{
	const std::size_t before = ds->n + ds->more;
	std::size_t line;

	if (len > TW_TOML_BYTES_MAX) {
		tw_diags_add(ds, 0, 0, nullptr, "has more than %zu MiB",
		    TW_TOML_BYTES_MAX >> 20);
		return tw_diags_check(ds, TW_DATA, err);
	}
	line = key_scan(text, len).find();
	if (line) {
		tw_diags_add(ds, line, 1, nullptr,
		    "a key has more than %d parts", TW_TOML_KEY_PARTS_MAX);
		return tw_diags_check(ds, TW_DATA, err);
	}
	try {
		if (!parse(std::string_view(text, len), ds, out) &&
		    ds->n + ds->more == before)
			return tw_err_nomem(err);
	} catch (const std::bad_alloc &) {
		return tw_err_nomem(err);
	} catch (...) {
		return tw_err_set(err, TW_BUG, "the reader of TOML failed");
	}
	if (ds->failed || ds->n + ds->more > before)
		return tw_diags_check(ds, TW_DATA, err);
	return TW_OK;
}
