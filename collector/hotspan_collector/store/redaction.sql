-- name: sql
-- Masks the literals of {text}. Databases differ in what a backslash means, so that text in quotes
-- that holds one is masked to the last quote. Comments go, since they may hold quotes. Numbers
-- after LIMIT and the like stay, and the 1 that stands for "does it exist": rules read them, and they
-- are nobody's secret (\x01 guards them).
replaceAll(
    replaceRegexpAll(
        replaceRegexpAll({text}, '--[^\\n]*|(?s:/\\*.*?(?:\\*/|$))|(?i:\\b(?:(LIMIT|OFFSET|FIRST|NEXT|TOP)(\\s+)(\\d)|(SELECT)(\\s+\\(?)(1)\\b))', '\\1\\2\\4\\5\x01\\3\\6'),
        '\'(?:[^\'\\\\]|\'\')*(?:\\\\(?s:.*\')|\\\\(?s:.*)$|\'|$)|(?s:\\$[A-Za-z_]*\\$.*?(?:\\$[A-Za-z_]*\\$|$))|{quoted}|(^|[^\\w$%.:"`\'?\x01])(?:0[xX][0-9a-fA-F]+|\\d[\\w.]*)',
        '\\1?'),
    '\x01', '')

-- name: names_in_quotes
-- Elsewhere double quotes hold names; those with an apostrophe in them would look like text.
"[^"\']*\'[^"]*"

-- name: text_in_quotes
-- MySQL's double quotes hold text.
"(?:[^"\\\\]|"")*(?:\\\\(?s:.*")|\\\\(?s:.*)$|"|$)

-- name: url
-- Takes out user and password, and masks the values of the query and the fragment.
replaceRegexpAll(
    replaceRegexpOne({text}, '//[^/?#]*@', '//'),
    '((?:^|[?&;#])[^=&#;/?]*=)[^&#;]*|([?&;#])[^=&#;/?]+', '\\1\\2?')

-- name: error
-- Masks what databases and their drivers repeat of a statement in the texts of errors: PostgreSQL's
-- details, quoted values, and excerpts of the statement, MySQL's values, SQLAlchemy's parameters.
replaceRegexpAll(
    {text},
    '(\\)=\\(|Failing row contains \\()(?s:.*?)(\\)(?: (?:already|is not|is still|conflicts)|\\.?(?:\n|$)))|(Duplicate entry \'|[Vv]alue: \'|near \'|got \'|base \\d+: \')(?s:.*?)(\'(?: for | at |[,.)]|\n|$))|(: ")(?s:.*?)("(?:\n|$))|(\\bLINE \\d+: |\\[parameters: |\\[SQL: )[^\n]*|(\\)=\\(|Failing row contains \\(|Duplicate entry \'|[Vv]alue: \'|near \'|got \'|base \\d+: \'|: ")(?s:.*)',
    '\\1\\3\\5\\7\\8?\\2\\4\\6')

-- name: marked
-- What was masked keeps a keyed hash of what it was, so that two texts can still be told apart.
if({masked} = {text}, {text}, concat({masked}, '{mark}', lower(hex(bitShiftRight(sipHash64Keyed(({key}), {text}), 16)))))
