"""Django's SQLite, but DEBUG does not double the statements.

With DEBUG on, Django asks SQLite to quote the parameters of each statement for its query log, by a
statement of its own (`SELECT QUOTE(?)`). A server database is never asked that, and the shop's
query counts are those of a server database.
"""

from django.db.backends.sqlite3 import base, operations


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor, sql, params):
        return sql


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
