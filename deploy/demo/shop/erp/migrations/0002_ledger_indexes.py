"""The fix of "filtered columns without an index": 1.1.0 has them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erp", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["reference", "branch"], name="ledger_reference_branch"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["status", "booked_day"], name="ledger_status_day"),
        ),
    ]
