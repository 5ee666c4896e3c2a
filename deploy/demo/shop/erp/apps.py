from django.apps import AppConfig
from django.db.models.signals import post_save

from shop.release import pick


class ErpConfig(AppConfig):
    name = "shop.erp"

    def ready(self):
        from shop.erp import stock  # noqa: PLC0415  (models can be imported from here on)

        handler = pick(stock.goods_received, stock.goods_received_fixed)
        post_save.connect(handler, sender=stock.GoodsReceipt)
